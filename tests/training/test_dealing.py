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
@given(SIZES, st.integers(1, 8), ROOMS)
def test_every_sample_has_one_place_in_a_row_that_holds_it(sizes: list[Size], processes: int, room: Room) -> None:
    given_rows = dealt(sizes, processes, room)
    rows = [row for process in given_rows for row in process]
    assert len(given_rows) == processes
    assert sorted(place for row in rows for place in row) == list(range(len(sizes)))
    for row in rows:
        assert 1 <= len(row) <= room.samples and row == sorted(row)
        assert room.tokens is None or sum(sizes[place].tokens for place in row) <= room.tokens
        assert room.inputs is None or sum(sizes[place].inputs for place in row) <= room.inputs
    counts = [len(process) for process in given_rows]
    assert min(counts) >= (len(sizes) >= processes)
    assert max(counts) - min(counts) <= 1, "processes that run rounds together have like many"
    assert dealt(sizes, processes, room) == given_rows


def test_a_sample_beyond_the_room_is_alone_in_its_row() -> None:
    """Its own process will say what is wrong with it."""
    rows = dealt([Size(10, language=1), Size(500, language=9), Size(20, language=2)], 1, Room(4, tokens=100))
    assert [1] in rows[0] and [0, 2] in rows[0]


def test_samples_that_cost_nothing_still_reach_every_process() -> None:
    assert [len(rows) for rows in dealt([Size()] * 6, 3, Room(8))] == [1, 1, 1]


def idle(given_rows: list[list[list[int]]], sizes: list[Size]) -> tuple[float, float]:
    """The mean share of a step that processes wait for the slowest, by each cost."""
    shares = []
    for cost in ("language", "seeing"):
        loads = [sum(getattr(sizes[place], cost) for row in process for place in row) for process in given_rows]
        shares.append(1 - float(np.mean(loads)) / max(loads))
    return shares[0], shares[1]


@pytest.mark.parametrize("processes", [2, 8, 64])
@pytest.mark.parametrize("room", [Room(8), Room(1000, tokens=4096)], ids=["samples", "tokens"])
def test_both_costs_are_level(processes: int, room: Room) -> None:
    """Lengths as heavy-tailed as instruction data's, pictures that have nothing to do with them."""
    random = np.random.default_rng(processes)
    lengths = np.minimum(2048, random.lognormal(5.5, 0.8, 32 * processes)).astype(int)
    pictures = random.integers(0, 6, len(lengths))
    sizes = [Size(int(n), int(k), float(n), float(k)) for n, k in zip(lengths, pictures, strict=True)]
    neighbours = [[list(range(32 * process, 32 * (process + 1)))] for process in range(processes)]
    before, after = idle(neighbours, sizes), idle(dealt(sizes, processes, room), sizes)
    assert max(after) < 0.08 and max(after) < max(before) / 2
