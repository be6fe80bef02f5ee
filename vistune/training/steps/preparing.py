"""Work prepared ahead of the loop, in a thread or in processes: the same work in the same order, whatever their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from vistune.data.order.prefetch import Prefetch
from vistune.data.order.workers import in_order
from vistune.training.steps.work import Work

_AHEAD = 2  # steps each process may be ahead


def prepared(make: Callable[[int, int], Iterator[Work[Any]]], first: int, steps: int, workers: int) -> Prefetch[Work[Any]]:
    """What `make(first, steps)` gives: the work of steps `first` to `steps - 1`, made ahead.

    Process n of `workers` makes steps `first + n`, `first + n + workers`, ...; with none, a thread makes all. An error is
    raised at its step; a process that was killed is told by its exit code, at once.
    """
    return Prefetch(_by_processes(make, first, steps, workers) if workers else make(first, steps))


def _by_processes(make: Callable[[int, int], Iterator[Work[Any]]], first: int, steps: int, workers: int) -> Iterator[Work[Any]]:
    def part(number: int, count: int) -> Iterator[Work[Any]]:
        # Several processes prepare at once; torch's own threads in each would fight for the same cores.
        torch.set_num_threads(1)
        # Whole steps by turns: the work of a step depends on the step alone, so the number of processes changes no number.
        for step in range(first + number, steps, count):
            yield from make(step, step + 1)

    yield from in_order(part, workers, 0, _AHEAD)
