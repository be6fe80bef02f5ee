"""Samples of a step are dealt to processes so that these end together, each sample once, in rows that hold them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vistune.training.steps.dealing import Room, Size, dealt

SIZES = st.lists(
    st.builds(Size, st.integers(1, 60), st.integers(0, 5), st.floats(0, 100), st.floats(0, 100)), min_size=1, max_size=40
)
ROOMS = st.builds(Room, st.integers(1, 8), st.none() | st.integers(60, 200), st.none() | st.integers(5, 12))


@settings(max_examples=200, deadline=None)
@given(SIZES, st.integers(1, 8), ROOMS, st.booleans())
def test_every_sample_has_one_place_in_a_row_that_holds_it(sizes: list[Size], processes: int, room: Room, rounds: bool) -> None:
    given_rows = dealt(sizes, processes, room, rounds)
    rows = [row for process in given_rows for row in process]
    assert len(given_rows) == processes
    assert sorted(place for row in rows for place in row) == list(range(len(sizes)))
    for row in rows:
        assert 1 <= len(row) <= room.samples and row == sorted(row)
        assert room.tokens is None or sum(sizes[place].tokens for place in row) <= room.tokens
        assert room.inputs is None or sum(sizes[place].inputs for place in row) <= room.inputs
    counts = [len(process) for process in given_rows]
    assert min(counts) >= (len(sizes) >= processes)
    if rounds:
        assert max(counts) - min(counts) <= 1, "processes that run rounds together have like many"
    assert dealt(sizes, processes, room, rounds) == given_rows


def test_a_sample_beyond_the_room_is_alone_in_its_row() -> None:
    """Its own process will say what is wrong with it."""
    rows = dealt([Size(10, language=1), Size(500, language=9), Size(20, language=2)], 1, Room(4, tokens=100))
    assert [1] in rows[0] and [0, 2] in rows[0]


def test_samples_that_cost_nothing_still_reach_every_process() -> None:
    assert [len(rows) for rows in dealt([Size()] * 6, 3, Room(8))] == [1, 1, 1]


def waited(given_rows: list[list[list[int]]], costs: list[float], rounds: bool) -> float:
    """The share of a step in which processes wait for the slowest, at its end or at the end of each round."""
    loads = [[sum(costs[place] for place in row) for row in process] for process in given_rows]
    table = np.array([load + [0.0] * (max(map(len, loads)) - len(load)) for load in loads])
    longest = table.max(axis=0).sum() if rounds else table.sum(axis=1).max()
    return float(1 - table.sum(axis=1).mean() / longest)


@pytest.mark.parametrize("processes", [2, 8, 64])
@pytest.mark.parametrize("room", [Room(8), Room(1000, tokens=4096)], ids=["samples", "tokens"])
@pytest.mark.parametrize("rounds", [False, True], ids=["step", "rounds"])
def test_processes_end_together(processes: int, room: Room, rounds: bool) -> None:
    """Lengths as heavy-tailed as instruction data's, pictures that have nothing to do with them."""
    random = np.random.default_rng(processes)
    lengths = np.minimum(2048, random.lognormal(5.5, 0.8, 32 * processes))
    pictures = 60.0 * random.integers(0, 6, len(lengths))
    sizes = [Size(int(n), int(k) // 60, n, k) for n, k in zip(lengths.tolist(), pictures.tolist(), strict=True)]
    neighbours = [[list(range(start, start + 8)) for start in range(32 * each, 32 * each + 32, 8)] for each in range(processes)]
    given_rows = dealt(sizes, processes, room, rounds)
    language, seeing = [size.language for size in sizes], [size.seeing for size in sizes]
    both = [sum(pair) for pair in zip(language, seeing, strict=True)]
    # Cut weights let processes wait in the encoder and again in the language model, so that each cost counts.
    for costs in (language, seeing) if rounds else (both,):
        before, after = waited(neighbours, costs, rounds), waited(given_rows, costs, rounds)
        assert after < (0.17 if rounds else 0.04) and after < 0.6 * before


def test_a_process_with_a_long_sample_has_little_beside_it() -> None:
    costs = [9.0, 1, 1, 8, 2, 2, 7, 1]
    rows = dealt([Size(language=cost) for cost in costs], 2, Room(2))
    assert sorted(sum(costs[place] for row in process for place in row) for process in rows) == [15, 16]
