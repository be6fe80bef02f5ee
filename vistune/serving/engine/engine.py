"""The engine: one thread that owns a model. Orders wait in a bounded queue, are admitted between steps, and are told of.

Whatever goes wrong with one order is told to that order alone. What goes wrong with a step is told to those that were in it,
and the engine goes on with the next.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from vistune.errors import InputError
from vistune.serving.engine.asking import Ranked
from vistune.serving.engine.batchwise import Batchwise
from vistune.serving.engine.rows import Order, Row
from vistune.serving.engine.served import Served
from vistune.serving.engine.stepwise import Stepwise
from vistune.serving.refusals import Refusal

log = logging.getLogger("vistune.serving")


@dataclass(frozen=True, slots=True)
class Limits:
    """`rows` answers are written at once; `queue` orders wait, of `queue_tokens` together; bytes that are kept of media and
    beginnings."""

    rows: int = 32
    queue: int = 128
    queue_tokens: int = 1 << 20
    media_bytes: int = 1 << 29
    prefix_bytes: int = 1 << 30


class Method(Protocol):
    """How rows are written."""

    rows: list[Row]

    def admit(self, orders: Sequence[Order]) -> None:
        """Take orders in."""
        ...

    def advance(self) -> None:
        """Write on."""
        ...

    def abandon(self, error: InputError) -> None:
        """Fail all that were taken in."""
        ...


class Engine:
    """Serves one model."""

    def __init__(self, served: Served, limits: Limits) -> None:
        self.served, self.limits = served, limits
        self.method: Stepwise | Batchwise = (
            Stepwise(served, limits.prefix_bytes) if Stepwise.fits(served) else Batchwise(served)
        )
        self._queue: deque[Order] = deque()
        self._wake = threading.Condition()
        self._closed = False
        # One thread owns the model: hooks and caches carry the state of the pass that is running.
        self._thread = threading.Thread(target=self._run, name=f"engine {served.name}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Orders in the queue."""
        return len(self._queue)

    @property
    def active(self) -> int:
        """Rows that are written."""
        return len(self.method.rows)

    def submit(self, order: Order) -> None:
        """Queue an order. Raises `Refusal`: 429 where the queue is full, 400 for more answers than are written at once."""
        if order.ask.copies > self.limits.rows:
            raise Refusal(f"n is {order.ask.copies}, but at most {self.limits.rows} answers are written at once", param="n")
        with self._wake:
            if self._closed:
                raise Refusal("the server is shutting down", 503, retry_after=5)
            # Orders whose client hung up must not keep others out.
            self._queue = deque(each for each in self._queue if not each.gone)
            tokens = sum(each.tokens for each in self._queue) + order.tokens
            # An empty queue takes any order: one that is larger than the limit could otherwise never be answered.
            if len(self._queue) >= self.limits.queue or (self._queue and tokens > self.limits.queue_tokens):
                raise Refusal("the server is busy: its queue is full, ask again later", 429, retry_after=1)
            self._queue.append(order)
            self._wake.notify()

    def close(self) -> None:
        """End the thread; whoever still waits is refused."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._closed and not self._queue and not self.method.rows:
                    self._wake.wait()
                if self._closed:
                    break
                orders = self._next()
            with torch.no_grad():
                self._admit(orders)
                self._advance()
        ending = Refusal("the server is shutting down", 503, retry_after=5)
        self.method.abandon(ending)
        for order in self._queue:
            order.fail(ending)

    def _next(self) -> list[Order]:
        """Those in front of the queue that there is room for."""
        room, chosen = self.limits.rows - len(self.method.rows), []
        if isinstance(self.method, Batchwise) and self.method.rows:
            return []
        # Strictly from the front: a small order behind a large one waits, or the large one would wait for ever.
        while self._queue and self._queue[0].ask.copies <= room:
            order = self._queue.popleft()
            if not order.gone:
                room -= order.ask.copies
                chosen.append(order)
        return chosen

    def _admit(self, orders: list[Order]) -> None:
        asked = [order for order in orders if not order.options]
        for order in orders:
            if order.options:
                self._rank(order)
        if not asked:
            return
        try:
            self.method.admit(asked)
        except Exception as error:  # noqa: BLE001 - the thread must live: told to those who asked, and logged
            if len(asked) == 1 or any(row.order in asked for row in self.method.rows):
                for order in asked:
                    order.fail(_sentence(error))
                return
            for order in asked:
                # One of several spoilt the batch: each is tried alone, so that only the guilty one fails.
                self._admit([order])

    def _advance(self) -> None:
        try:
            self.method.advance()
        except Exception as error:  # noqa: BLE001 - as above
            self.method.abandon(_sentence(error))

    def _rank(self, order: Order) -> None:
        try:
            scores = self.served.rank(order.ask.sample, order.options, order.ranking)
        except Exception as error:  # noqa: BLE001 - as above
            order.fail(_sentence(error))
            return
        order.hear(Ranked(tuple(scores)))


def _sentence(error: Exception) -> InputError:
    """What the client is told: the sentence that is meant for it, or that the fault is ours."""
    if isinstance(error, InputError):
        return error
    log.error("a request failed inside the server", exc_info=error)
    return Refusal("the server failed to answer this request: see its log", 500)
