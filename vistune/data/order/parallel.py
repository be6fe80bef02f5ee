"""The same work on all ranges of indices, in processes, with the results in order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from vistune.progress import track

Result = TypeVar("Result")

_work: Callable[[int, int], Any]  # set in each process as it is forked: closures need no pickling


def _install(work: Callable[[int, int], Any]) -> None:
    global _work
    _work = work


def _run(size: int, part: int, number: int) -> Any:
    return _work(number * part, min(size, (number + 1) * part))


def over_ranges(work: Callable[[int, int], Result], size: int, part: int, workers: int, what: str) -> Iterator[Result]:
    """`work(0, part), work(part, 2 * part), ...` up to `size`, in this order, on `workers` processes, with a progress bar.

    An exception in a process is raised here.
    """
    pieces = -(-size // part)
    if workers <= 1 or pieces <= 1:
        yield from track((work(number * part, min(size, (number + 1) * part)) for number in range(pieces)), what, pieces)
        return
    context = multiprocessing.get_context("fork")  # the data's offset tables and the work's closure are inherited
    with context.Pool(min(workers, pieces), _install, (work,)) as pool:
        yield from track(pool.imap(partial(_run, size, part), range(pieces)), what, pieces)
