"""`endpoint`: a chat model over HTTP: any OpenAI-compatible one (vLLM, SGLang, llama-server, hosted), Anthropic's, Google's."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

from vistune.completer import Reply, Request
from vistune.construction.guards import PICTURE
from vistune.construction.http.apis.base import Api
from vistune.construction.http.attempts import Attempts
from vistune.construction.http.budget import Budget
from vistune.construction.http.connections import Connections
from vistune.construction.http.keeper import Keeper
from vistune.construction.http.limiter import Limiter
from vistune.construction.running.account import Account, Earlier
from vistune.construction.running.store import ReplyStore, endpoint_identity, reply_key
from vistune.errors import InputError
from vistune.spec import resolve


class Endpoint:
    """Asks an endpoint, many requests at a time, and keeps every reply before it is used.

    url:         base address, for example http://127.0.0.1:8000/v1
    model:       the model's name there
    api:         whose format the endpoint speaks: openai, anthropic or google
    key_env:     the environment variable that holds the key (None: the provider's usual one); the key itself is never written
                 anywhere
    concurrency: the most requests in flight; the number in use adapts to what the endpoint takes
    requests_per_minute, tokens_per_minute:  a known quota
    timeout:     seconds for one try, whole response included
    retries:     further tries after a failure, with exponential waits and jitter
    patience:    seconds after which a request that only ever met a busy endpoint fails
    max_total_tokens, max_usd, price_in, price_out:  the budget (see `Budget`); a bound in dollars needs the prices, which are
                 dollars per million tokens
    extra:       further keys of the body, e.g. {"top_p": 0.9}; None takes a key away
    """

    def __init__(
        self,
        url: str,
        model: str,
        api: str = "openai",
        key_env: str | None = None,
        concurrency: int = 64,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        timeout: float = 120.0,
        retries: int = 6,
        patience: float = 1800.0,
        max_total_tokens: int | None = None,
        max_usd: float | None = None,
        price_in: float = 0.0,
        price_out: float = 0.0,
        extra: Mapping[str, Any] | None = None,
        store: ReplyStore | None = None,
    ) -> None:
        _check(url, concurrency, max_usd, price_in + price_out)
        speaks: Api = resolve("vistune.construction.http.apis", api, Api)()
        secret = _secret(key_env, speaks.key_env)
        self._connections = Connections(url, speaks.headers(secret), timeout)
        self.account = Account()
        self.identity = endpoint_identity(url, model, extra, api)
        who = f"{url.rstrip('/')} {model}"
        self._store, self._keeper = store, None if store is None else Keeper(store, who)
        # Replies are given in order: reading ahead keeps all places busy while the first one is slow.
        self._width = 4 * concurrency
        self._flying: dict[str, Future[Reply]] = {}
        self.limiter = Limiter(concurrency, requests_per_minute, tokens_per_minute)
        budget = Budget(max_total_tokens, max_usd, price_in, price_out, self.account)
        if store is not None:
            kept = store.spent(who)
            self.account.earlier = Earlier(*kept, budget.cost(*kept))
        self._attempts = Attempts(
            self._connections,
            speaks,
            model,
            dict(extra or {}),
            self.limiter,
            budget,
            self.account,
            timeout,
            retries,
            patience,
            secret,
        )
        # A loop in a thread of its own: pipelines are plain iterators, and may run inside a notebook that has a loop already.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="endpoint", daemon=True)
        self._thread.start()

    def complete(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Answer in order; up to four times the concurrency is read ahead. Raises `InputError` when the run must stop."""
        waiting: deque[Future[Reply]] = deque()
        try:
            for request in requests:
                waiting.append(self._submit(request))
                while waiting and (len(waiting) >= self._width or waiting[0].done()):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except InputError:
            for future in waiting:  # what is in flight was paid for: let it arrive and be stored
                future.exception()
            raise

    def close(self) -> None:
        """Close the connections."""
        asyncio.run_coroutine_threadsafe(self._connections.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _submit(self, request: Request) -> Future[Reply]:
        self.account.asked += 1
        try:
            key = reply_key(request, self.identity)
        except InputError as error:  # a picture that cannot be read
            self.account.failed += 1
            return _done(Reply("", error=f"{PICTURE}: {error}"))
        flying = self._flying.get(key)  # before the store: a reply is stored first and lands after
        if flying is not None:
            self.account.cached += 1
            return flying
        stored = self._store.get(key) if self._store is not None else None
        if stored is not None:
            self.account.cached += 1
            return _done(stored)
        future = asyncio.run_coroutine_threadsafe(self._answer(request, key), self._loop)
        self._flying[key] = future
        future.add_done_callback(lambda _: self._flying.pop(key, None))
        return future

    async def _answer(self, request: Request, key: str) -> Reply:
        reply = await self._attempts.answer(request, key)
        if reply.error:
            self.account.failed += 1
        else:
            self.account.answered += 1
            if self._keeper is not None:
                await self._keeper.keep(key, reply)
        return reply


def _done(reply: Reply) -> Future[Reply]:
    done: Future[Reply] = Future()
    done.set_result(reply)
    return done


def _secret(given: str | None, usual: str) -> str:
    """The key in a variable, without the line break that files end with. No message repeats what was given: it may be a key."""
    if given is not None and not (given.isidentifier() and given in os.environ):
        raise InputError("key_env is not the name of a variable that is set: give the variable's name, never the key itself")
    name = given or usual
    secret = os.environ.get(name, "").strip()
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise InputError(
            f"the key in {name} holds a blank, a line break or a letter outside ASCII, which no key does: set it again"
        )
    return secret


def _check(url: str, concurrency: int, max_usd: float | None, prices: float) -> None:
    try:
        address = urlsplit(url)
        _ = address.port
    except ValueError as error:
        raise InputError(f"endpoint {url!r} is no address: {error}") from error
    if address.scheme not in ("http", "https") or not address.hostname:
        raise InputError(f"endpoint {url!r} is no address: expected http://host:port/v1 or https://host/v1")
    if address.username or address.password or address.query:
        raise InputError("an endpoint's address holds no user, password or query: give the key in the environment")
    if concurrency < 1:
        raise InputError(f"concurrency is {concurrency}, expected at least 1")
    if max_usd is not None and not prices:
        raise InputError("max_usd needs price_in and price_out, dollars per million tokens")
