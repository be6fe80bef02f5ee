"""Work ahead of the consumer, in a thread: decoding and tokenizing release the interpreter most of the time."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class _Done:
    pass


class Prefetch(Generic[Item]):
    """Iterate `items` up to `depth` ahead. An error in `items` is raised in the consumer, at its place.

    `waited` is the time (seconds) the consumer has spent waiting.
    """

    def __init__(self, items: Iterable[Item], depth: int = 2) -> None:
        self._items = items
        self._queue: queue.Queue[Item | _Done | BaseException] = queue.Queue(depth)
        self._stop = threading.Event()
        self.waited = 0.0

    def __iter__(self) -> Iterator[Item]:
        # The trusted packages are a context variable, which a new thread would begin without.
        thread = threading.Thread(target=contextvars.copy_context().run, args=(self._work,), daemon=True)
        thread.start()
        try:
            while True:
                began = time.perf_counter()
                item = self._queue.get()
                self.waited += time.perf_counter() - began
                if isinstance(item, _Done):
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._stop.set()
            # The worker may wait for room in the queue; emptying it lets it see that it is to stop.
            while not self._queue.empty():
                self._queue.get_nowait()
            thread.join()

    def _work(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    return
            self._put(_Done())
        except BaseException as error:  # noqa: BLE001 - handed to the consumer, which raises it
            self._put(error)

    def _put(self, item: Item | _Done | BaseException) -> bool:
        while not self._stop.is_set():
            try:
                # With a timeout, since nothing wakes a `put` when the consumer leaves.
                self._queue.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False
