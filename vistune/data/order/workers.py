"""Processes that produce items ahead of their consumer, in a fixed order; they end with it, however it ends."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")

_POLL = 0.5


class _End:
    pass


def in_order(part: Callable[[int, int], Iterator[Item]], workers: int, first: int, ahead: int) -> Iterator[Item]:
    """Items of `part(0, workers) ... part(workers - 1, workers)`, one from each in turn, beginning with worker `first`.

    An exception in a worker is raised here, at the item's place. When the consumer stops, or its process is killed, the
    workers end.
    """
    context = multiprocessing.get_context("fork")  # readers hold open offset tables: copied on write, never pickled
    queues: list[Any] = [context.Queue(ahead) for _ in range(workers)]
    stop = context.Event()
    processes = [
        context.Process(target=_work, args=(part, number, workers, queues[number], stop), daemon=True)
        for number in range(workers)
    ]
    for process in processes:
        process.start()
    try:
        number = first
        while True:
            item = _take(queues[number], processes[number])
            if isinstance(item, _End):
                return
            if isinstance(item, BaseException):
                raise item
            yield item
            number = (number + 1) % workers
    finally:
        stop.set()
        for process, items in zip(processes, queues, strict=True):
            items.cancel_join_thread()
            items.close()
            process.join(_POLL)
            process.kill()
            process.join()


def _take(items: Any, process: Any) -> Any:
    while True:
        try:
            return items.get(timeout=_POLL)
        except queue.Empty:
            if not process.is_alive() and items.empty():
                raise RuntimeError(f"a reading process ended by itself (exit code {process.exitcode})") from None


def _work(part: Callable[[int, int], Iterator[Any]], number: int, workers: int, items: Any, stop: Any) -> None:
    parent = multiprocessing.parent_process()

    def put(item: Any) -> bool:
        while not stop.is_set() and parent is not None and parent.is_alive():
            try:
                items.put(item, timeout=_POLL)
                return True
            except queue.Full:
                continue
        items.cancel_join_thread()
        return False

    try:
        for item in part(number, workers):
            if not put(item):
                return
        put(_End())
    except BaseException as error:  # noqa: BLE001 - handed to the consumer, which raises it
        put(error)
