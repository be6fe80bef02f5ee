"""Which of a step's samples share a row, and which process takes the row, so that all processes finish together.

A step ends when its last process does. What a sample costs is known from headers and words before anything is decoded: the
work of the language model on its tokens, and that of the encoders on what it shows.

    samples            dealt as neighbours        dealt by costs                   in rounds
    9 1 1 8 2 2 7 1    0: 9 1 | 1 8 = 19          0: 9 1 | 1 2 | 1 2 = 16          0: 9 2 | 2 1
                       1: 2 2 | 7 1 = 12          1: 8 7             = 15          1: 8 7 | 1 1

With whole weights processes meet at the end of a step, so each is given like much in all. Cut weights are gathered by all
processes for every row, so that a round takes as long as its longest row: rows of like cost stand in one round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SECOND = 1e-3  # what the lesser cost weighs beside the greater
_WIDER = 2  # times as many samples as others may stand on a process whose samples are short, each in one row more
_EXCHANGES = 4  # times as many as there are rows: some thousand are enough for 512 processes


@dataclass(frozen=True, slots=True)
class Size:
    """What a sample asks for: `tokens` and encoder `inputs`, which a budget counts, and two costs, `language` and `seeing`.

    Their unit is free, but the same for both: operations, seconds.
    """

    tokens: int = 0
    inputs: int = 0
    language: float = 0.0
    seeing: float = 0.0


@dataclass(frozen=True, slots=True)
class Room:
    """What a row takes: `samples` at most, and of a budget `tokens` and encoder `inputs`."""

    samples: int
    tokens: int | None = None
    inputs: int | None = None


def dealt(sizes: Sequence[Size], processes: int, room: Room, rounds: bool = False) -> list[list[list[int]]]:
    """For each process its rows, each the places of its samples in ascending order. In `rounds` all run each row together.

    A pure function of its arguments: every place stands in one row, no row is empty, and each process has one at least where
    there are as many samples as processes. A sample that alone exceeds the room has a row of its own.
    """
    costs = _shares(sizes, rounds)
    everything = list(range(len(sizes)))
    if room.tokens is None and room.inputs is None:
        count = -(-len(sizes) // (processes * room.samples))  # rows of each process
        if rounds:
            order = sorted(everything, key=lambda place: (-costs[place].max(), place))
            wide = processes * room.samples
            rows = [
                row
                for start in range(0, len(order), wide)
                for row in _level(order[start : start + wide], costs, processes, room)
            ]
            return _given(_enough(rows, len(sizes), processes), costs, processes)
        given = _enough(_level(everything, costs, processes, Room(_WIDER * count * room.samples)), len(sizes), processes)
        given += [[] for _ in range(processes - len(given))]
        return [_level(part, costs, -(-len(part) // room.samples), room) for part in given]
    rows = _enough(_filled(sizes, costs, processes, room), len(sizes), processes)
    return _given(rows, costs, processes)


def _given(rows: list[list[int]], costs: NDArray[np.float64], processes: int) -> list[list[list[int]]]:
    """Rows to processes, round by round, the dearest first: in a round each goes to the process that has least yet."""
    loads = np.array([costs[row].sum(axis=0) for row in rows]).reshape(-1, costs.shape[1])
    order = sorted(range(len(rows)), key=lambda row: (-loads[row].max(), rows[row]))
    taken = np.zeros((processes, costs.shape[1]))
    given: list[list[list[int]]] = [[] for _ in range(processes)]
    # In rounds of one row for each process, heaviest rows first: all have equally many rows, so none waits in a last round
    # alone.
    for start in range(0, len(order), processes):
        free = list(range(processes))
        for row in order[start : start + processes]:
            # Ties go to the lower number: the deal is a pure function, and every rank computes it without a word to the
            # others.
            process = min(free, key=lambda each: (_fullness(taken[each] + loads[row]), each))
            free.remove(process)
            taken[process] += loads[row]
            given[process].append(sorted(rows[row]))
    return given


def _enough(rows: list[list[int]], samples: int, processes: int) -> list[list[int]]:
    """Without empty rows, but as many as processes where there are as many samples: the longest are cut in two."""
    rows = [row for row in rows if row]
    while len(rows) < min(processes, samples):
        longest = max(rows, key=len)
        rows.remove(longest)
        rows += [longest[::2], longest[1::2]]
    return rows


def _level(places: Sequence[int], costs: NDArray[np.float64], count: int, room: Room) -> list[list[int]]:
    """`count` rows of at most `room.samples`: the dearest sample first, into the row that has least."""
    rows: list[list[int]] = [[] for _ in range(count)]
    load, used = np.zeros((count, costs.shape[1])), np.zeros(count)
    for place in sorted(places, key=lambda place: (-costs[place].max(), place)):
        row = int(np.where(used < room.samples, _fullness(load + costs[place]), np.inf).argmin())
        rows[row].append(place)
        load[row] += costs[place]
        used[row] += 1
    _exchange(rows, load, costs)
    return [sorted(row) for row in rows]


def _exchange(rows: list[list[int]], load: NDArray[np.float64], costs: NDArray[np.float64]) -> None:
    """Let the fullest row and the emptiest change one sample for another as long as that helps, in place.

    Rows take as many samples each, and those with a long one were given others before only the shortest were left.
    """
    for _ in range(_EXCHANGES * len(rows)):
        fullness = _fullness(load)
        full, empty = int(fullness.argmax()), int(fullness.argmin())
        if full == empty or not rows[empty]:
            return
        goes = costs[rows[full]][:, None, :] - costs[rows[empty]][None, :, :]
        after = np.maximum(_fullness(load[full] - goes), _fullness(load[empty] + goes))
        out, back = np.unravel_index(int(after.argmin()), after.shape)
        if not after[out, back] < fullness[full] * (1 - 1e-9):
            return
        load[full] -= goes[out, back]
        load[empty] += goes[out, back]
        rows[full][out], rows[empty][back] = rows[empty][back], rows[full][out]


def _shares(sizes: Sequence[Size], rounds: bool) -> NDArray[np.float64]:
    """What each sample costs, as shares of what all cost: `[samples, 1]`, all its work together, or in rounds `[samples, 2]`.

    Layers of cut weights are gathered by all, so that processes wait in the encoder and again in the language model: there each
    cost has to be level on its own. A cost that nobody asks for weighs nothing.
    """
    costs = np.array([(size.language, size.seeing) for size in sizes], dtype=np.float64).reshape(-1, 2)
    costs = costs if rounds else costs.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = costs / np.maximum(costs.sum(axis=0), np.finfo(np.float64).tiny)
    return shares


def _fullness(load: NDArray[np.float64]) -> NDArray[np.float64]:
    """How full rows or processes with such loads `[..., costs]` are: by the fuller cost, and a little by the other."""
    fullness: NDArray[np.float64] = load.max(axis=-1) + _SECOND * load.sum(axis=-1)
    return fullness


def _filled(sizes: Sequence[Size], costs: NDArray[np.float64], processes: int, room: Room) -> list[list[int]]:
    """As few rows as hold all samples, but as many on each process: the dearest sample first, into the row that has least."""
    order = sorted(range(len(sizes)), key=lambda place: (-costs[place].max(), place))
    limits = np.array([room.samples, room.tokens or np.inf, room.inputs or np.inf])
    asked = np.array([(1, size.tokens, size.inputs) for size in sizes], dtype=np.float64).reshape(-1, 3)
    alone: NDArray[np.bool_] = np.any(asked > limits, axis=1)  # preparing it will say what is wrong
    least = max(1.0, float((asked[~alone].sum(axis=0) / limits).max(initial=0.0)))
    # A lower bound by volume; where the greedy filling does not fit into it, a further round is opened and all is filled
    # anew.
    rounds = int(np.ceil(np.ceil(least) / processes))
    while True:
        count = rounds * processes
        used, load = np.zeros((count, 3)), np.zeros((count, costs.shape[1]))
        rows: list[list[int]] = [[] for _ in range(count)]
        for place in order:
            fits = (used + asked[place] <= limits).all(axis=1) | (alone[place] & (used[:, 0] == 0))
            if not fits.any():
                break
            row = int(np.where(fits, _fullness(load + costs[place]), np.inf).argmin())
            rows[row].append(place)
            used[row] += asked[place]
            load[row] += costs[place]
        else:
            return rows
        rounds += 1
