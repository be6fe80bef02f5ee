"""`Service`: models that are loading, served or draining, and a request's way through them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

from vistune.errors import InputError
from vistune.serving.engine.asking import Ask, Event
from vistune.serving.engine.engine import Engine
from vistune.serving.engine.kept import Bounded
from vistune.serving.engine.rows import Order
from vistune.serving.engine.schema import grammars
from vistune.serving.fetching import fetched
from vistune.serving.metrics import Metrics
from vistune.serving.protocol.content import Reader
from vistune.serving.protocol.request import Chat, model_name, read_choice
from vistune.serving.refusals import Refusal, refusal
from vistune.serving.settings import Settings

T = TypeVar("T")
ReadChat: TypeAlias = Callable[[Mapping[str, Any], Reader, str, int], Chat]
_NAMED_BYTES = 256 << 20
_READERS = 4


class Service:
    """Answers requests of `expected` models; they become `engines` as they are loaded."""

    def __init__(self, settings: Settings, expected: tuple[str, ...]) -> None:
        self.settings, self.expected = settings, expected
        self.engines: dict[str, Engine] = {}
        self.metrics = Metrics(self.engines)
        self.draining = False
        self.fault: str | None = None  # why a model could not be loaded
        self.flying = 0
        self.reader = Reader(lambda url, where: fetched(url, where, settings.hosts, settings.body), Bounded(_NAMED_BYTES))
        self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="reading")

    @property
    def state(self) -> str:
        """`loading`, `ready`, `draining` or `failed`."""
        if self.draining:
            return "draining"
        if self.fault is not None:
            return "failed"
        return "ready" if len(self.engines) == len(self.expected) else "loading"

    def engine(self, body: Mapping[str, Any]) -> Engine:
        """The engine of the model that a request names. Raises `Refusal` 404, or 503 before and after."""
        name = model_name(body)
        if self.draining:
            raise Refusal("the server is shutting down", 503, retry_after=5)
        if name not in self.expected:
            raise Refusal(
                f"the model {name[:100]!r} is not served here: ask for {' or '.join(map(repr, self.expected))}",
                404,
                "model",
                "model_not_found",
            )
        if name not in self.engines:
            raise Refusal(f"the model {name!r} is being loaded: ask again later", 503, code="loading", retry_after=2)
        return self.engines[name]

    async def read(self, work: Callable[[], T]) -> T:
        """What takes time but no model, away from the event loop. What a user did wrong comes back as a `Refusal`."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except InputError as error:
            raise refusal(error) from error

    def chat(self, engine: Engine, body: Mapping[str, Any], read: ReadChat) -> tuple[Chat, Order]:
        """What a body asks, as `read` finds it, made ready to be submitted."""
        asked = read(body, self.reader, "request", self.settings.max_tokens)
        ready, length = engine.served.ready(asked.ask.sample)
        room = engine.served.terms.context - length
        if room < 1 or (asked.bounded and asked.ask.max_tokens > room):
            raise Refusal(
                f"the prompt takes {length} tokens, and with {asked.form.limit} {asked.ask.max_tokens} that is more than the"
                f" {engine.served.terms.context} of this model",
                param=asked.form.limit,
                code="context_length_exceeded",
            )
        ask = asked.ask if asked.bounded else replace(asked.ask, max_tokens=min(asked.ask.max_tokens, room))
        order = Order(ask, ready, length, _unheard, grammars=grammars(engine.served, ask))
        return replace(asked, ask=ask), order

    def choice(self, engine: Engine, body: Mapping[str, Any]) -> Order:
        """A ranking made ready."""
        asked = read_choice(body, self.reader, "request")
        _, length = engine.served.ready(asked.sample)
        return Order(Ask(asked.sample, 1), None, length, _unheard, options=asked.options, ranking=asked.ranking)

    @asynccontextmanager
    async def events(self, engine: Engine, order: Order) -> AsyncIterator[asyncio.Queue[Event]]:
        """What comes of an order while the block runs; whoever leaves the block has given up."""
        loop, queue = asyncio.get_running_loop(), asyncio.Queue[Event]()

        def hear(event: Event) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, event)

        order.hear = hear
        engine.submit(order)
        self.flying += 1
        try:
            yield queue
        finally:
            order.gone = True
            self.flying -= 1

    def close(self) -> None:
        """End all engines."""
        for engine in self.engines.values():
            engine.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


def _unheard(event: Event) -> None:
    raise AssertionError("an order is heard once it is submitted")
