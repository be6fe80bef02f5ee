"""What a row costs: seconds of a processor, from four numbers that headers and words tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from vistune.training.steps.dealing import Room, Size, dealt

Row = list[tuple[int, int]]
"""Samples of a row: tokens, and tokens that the encoder gives."""


ENCODER, HEAD = 0.19, 0.87
"""Weights of the benchmark's tower, and of its matrix of logits, over those of its decoder's layers."""


def asked(row: Row) -> list[float]:
    """One row, its words (which are taught as well, and so have logits), the squares of its samples' lengths (attention), and
    tokens of the encoder."""
    return [
        1.0,
        float(sum(n - seen for n, seen in row)),
        float(sum(n * n for n, _ in row)),
        float(sum(seen for _, seen in row)),
    ]


def fitted(rows: Sequence[Row], seconds: Sequence[float]) -> NDArray[np.float64]:
    """The constants (none negative) that explain measured seconds, errors weighed as shares of them."""
    known, taken = np.array([asked(row) for row in rows]), np.array(seconds)
    scale = known.max(axis=0)
    constants, _ = nnls(known / scale / taken[:, None], np.ones(len(taken)))
    found: NDArray[np.float64] = constants / scale
    return found


def seconds(constants: NDArray[np.float64], rows: Sequence[Row]) -> float:
    """What rows take one after the other."""
    return float(sum(np.dot(constants, asked(row)) for row in rows))


def idle(loads: Sequence[Sequence[float]]) -> float:
    """The share of the steps' time in which processes wait for the slowest; `loads [steps][processes]` in seconds."""
    table = np.array(loads)
    return float(1 - table.mean(axis=1).sum() / table.max(axis=1).sum())


def simulated(
    samples: Row, processes: int, batch: int, room: Room, width: int, constants: NDArray[np.float64], rounds: bool
) -> tuple[float, float]:
    """Idle shares when a step's samples are dealt as neighbours, and by their costs; `batch` samples a process.

    In `rounds` processes wait for each other at each row, else at the end of the step.
    """
    before, after = list[list[float]](), list[list[float]]()
    size = batch * processes
    for start in range(0, len(samples) - size + 1, size):
        step = samples[start : start + size]
        sizes = [Size(n, 0, n * (1 + n / (6 * width)) + HEAD * (n - seen), ENCODER * seen) for n, seen in step]
        ends = range(0, batch, room.samples)
        neighbours = [[list(range(first + at, first + at + room.samples)) for at in ends] for first in range(0, size, batch)]
        for kept, given in ((before, neighbours), (after, dealt(sizes, processes, room, rounds))):
            loads = [[seconds(constants, [[step[place] for place in row]]) for row in rows] for rows in given]
            if rounds:
                wide = max(map(len, loads))
                kept += [[load[at] if at < len(load) else 0.0 for load in loads] for at in range(wide)]
            else:
                kept.append([sum(load) for load in loads])
    return idle(before), idle(after)
