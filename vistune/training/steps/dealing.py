"""Which of a step's samples share a row, and which process takes the row, so that all processes finish together.

A step ends when its last process does. What a sample costs is known from headers and words before anything is decoded: the
work of the language model on its tokens, and that of the encoders on what it shows.

    samples            dealt as neighbours                     dealt by their costs
    9 1 1 8 2 2 7 1    0: 9 1 1 8 = 19   1: 2 2 7 1 = 12       0: 1 8 7 1 = 17   1: 9 1 2 2 = 14    (rows of four)

Rows are filled first, the dearest sample into the row that has least; then rows are dealt round by round, rows of like cost in
one round, so that processes whose weights are cut, and that therefore run each round together, wait little as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SECOND = 1e-3  # what the lesser cost weighs beside the greater


@dataclass(frozen=True, slots=True)
class Size:
    """What a sample asks for: `tokens` and encoder `inputs` (a budget counts them), and the two costs, `language` and `seeing`.

    Costs of a kind are compared with each other only, so their units are free.
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


def dealt(sizes: Sequence[Size], processes: int, room: Room) -> list[list[list[int]]]:
    """For each process its rows, each the places of its samples in ascending order.

    A pure function of its arguments: every place stands in one row, no row is empty, and each process has one at least where
    there are as many samples as processes. A sample that alone exceeds the room has a row of its own.
    """
    costs = _shares(sizes)
    rows = [row for row in _filled(sizes, costs, processes, room) if row]
    # Every process needs a row, or it would stand idle in collectives; the row of most samples is halved.
    while len(rows) < min(processes, len(sizes)):
        longest = max(rows, key=len)
        rows.remove(longest)
        rows += [longest[::2], longest[1::2]]
    loads = np.array([costs[row].sum(axis=0) for row in rows]).reshape(-1, 2)
    order = sorted(range(len(rows)), key=lambda row: (-loads[row].max(), rows[row]))
    taken = np.zeros((processes, 2))
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


def _shares(sizes: Sequence[Size]) -> NDArray[np.float64]:
    """Both costs of each sample, as shares of what all cost together: a kind that nobody asks for weighs nothing."""
    costs = np.array([(size.language, size.seeing) for size in sizes], dtype=np.float64).reshape(-1, 2)
    shares: NDArray[np.float64] = costs / np.maximum(costs.sum(axis=0), np.finfo(np.float64).tiny)
    return shares


def _fullness(load: NDArray[np.float64]) -> NDArray[np.float64]:
    """How full rows or processes with such loads `[..., 2]` are: by the fuller cost, and a little by the other."""
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
        used, load = np.zeros((count, 3)), np.zeros((count, 2))
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
