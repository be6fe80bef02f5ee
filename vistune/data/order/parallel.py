"""The same work on all ranges of indices, in processes, with the results in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from vistune.data.order.workers import in_order
from vistune.progress import track

Result = TypeVar("Result")

_AHEAD = 2  # results each process may be ahead


def over_ranges(work: Callable[[int, int], Result], size: int, part: int, workers: int, what: str) -> Iterator[Result]:
    """`work(0, part), work(part, 2 * part), ...` up to `size`, in this order, on `workers` processes, with a progress bar.

    An exception in a process is raised here. Raises `InputError` when one was killed.
    """
    pieces = -(-size // part)
    if workers <= 1 or pieces <= 1:
        yield from track((work(number * part, min(size, (number + 1) * part)) for number in range(pieces)), what, pieces)
        return

    def pieces_of(process: int, processes: int) -> Iterator[Result]:
        for number in range(process, pieces, processes):
            yield work(number * part, min(size, (number + 1) * part))

    yield from track(in_order(pieces_of, min(workers, pieces), 0, _AHEAD), what, pieces)
