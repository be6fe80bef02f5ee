"""`Attempts`: one request until it is answered, refused for good, or out of tries."""

from __future__ import annotations

import asyncio
import email.utils
import os
import random
import time
from collections.abc import Mapping
from functools import partial

from vistune.completer import Reply, Request
from vistune.construction.guards import PICTURE
from vistune.construction.http.apis.base import Api
from vistune.construction.http.budget import Budget
from vistune.construction.http.connections import Connections
from vistune.construction.http.firsts import FirstRequests
from vistune.construction.http.limiter import Limiter
from vistune.construction.http.pictures import PictureError
from vistune.construction.http.wire import BadReplyError, body_of, prompt_tokens, reply_of
from vistune.construction.running.account import Account
from vistune.errors import InputError

# Statuses by what helps: waiting (no room; 529 is Anthropic's), trying again (a fault that passes), or a person (key, money,
# model).
_BUSY = frozenset({429, 503, 529})
_AGAIN = frozenset({408, 409, 425, 500, 502, 504})
_FATAL = frozenset({401, 402, 403, 404})
_LONGEST_WAIT = 60.0
_FOREVER = 1e9  # seconds: an endpoint may ask for an endless wait
_PACE = 1.0  # seconds: a shorter wait is the pace of a busy endpoint, not word that it will be away
_UNREACHED = 3  # tries, as long as nothing ever came from the address
# A reply is text; an endpoint that sends without end must not fill the memory.
_LARGEST = 16 * 2**20


class _RetryError(Exception):
    """Try again, after at least `wait` seconds.

    busy: the endpoint has no room. sold: it may have made a reply, and charge it. unreachable: there was no connection.
    """

    def __init__(
        self, cause: str, wait: float = 0.0, busy: bool = False, sold: bool = False, unreachable: bool = False
    ) -> None:
        super().__init__(cause)
        self.cause, self.wait, self.busy, self.sold, self.unreachable = cause, wait, busy, sold, unreachable


class Attempts:
    """Sends requests to one endpoint. Raises `InputError` for what no retry can mend (a refused key, an unknown
    model, first requests that all fail alike); a picture that cannot be sent fails its request alone.

    A busy endpoint (429, 503) is no failure: such tries are bounded by `patience` seconds, all others by `retries`.
    """

    def __init__(
        self,
        connections: Connections,
        api: Api,
        model: str,
        extra: Mapping[str, object],
        limiter: Limiter,
        budget: Budget,
        account: Account,
        timeout: float,
        retries: int,
        patience: float,
        secret: str,
    ) -> None:
        self._connections, self._api, self._model, self._extra = connections, api, model, extra
        self._limiter, self._budget, self._account = limiter, budget, account
        self._timeout, self._retries, self._patience, self._secret = timeout, retries, patience, secret
        self._stopped: InputError | None = None
        self._firsts = FirstRequests()

    async def answer(self, request: Request, key: str) -> Reply:
        """The reply, or a `Reply` with `error`. Once one request has stopped the run, no further one is sent."""
        try:
            return await self._answer(request, key)
        except InputError as error:
            self._stopped = error
            raise

    async def _answer(self, request: Request, key: str) -> Reply:
        try:
            body = await self._body(request)
        except PictureError as error:
            return Reply("", self._model, "error", error=f"{PICTURE}: {error}")
        number = self._firsts.number()
        expected = prompt_tokens(request)
        began, failures, last = time.monotonic(), 0, ""
        while failures <= self._retries and time.monotonic() - began <= self._patience:
            try:
                return await self._once(request, body, key, expected, number)
            except _RetryError as error:
                last = error.cause
                self._account.retries[error.cause] += 1
                # A busy endpoint is alive: only patience bounds how long it is waited for.
                failures += not error.busy
                self._firsts.failed(number, error.cause if error.unreachable else "")
                if error.unreachable and failures >= _UNREACHED and not self._firsts.heard:
                    break
                # Exponential with jitter: requests that failed together must not come back together.
                backoff = min(_LONGEST_WAIT, 0.25 * 2**failures)
                left = self._patience - (time.monotonic() - began)
                if left <= 0:
                    break
                if error.wait > max(left, _PACE):  # what it is told to wait for is beyond what its user would
                    last = f"{error.cause}, told to wait {error.wait:.0f} s and patience ends in {left:.0f} s,"
                    break
                await asyncio.sleep(min(left, error.wait + random.uniform(0, backoff)))
        return Reply("", self._model, "error", error=f"{last} after {failures} failed tries")

    async def _body(self, request: Request) -> bytes:
        """Reading and converting pictures is left to a thread, so that nobody's reply waits for it."""
        make = partial(body_of, self._api, request, self._model, self._extra)
        return await asyncio.to_thread(make) if any(message.images for message in request.messages) else make()

    async def _once(self, request: Request, body: bytes, key: str, expected: int, number: int) -> Reply:
        # The budget before the pace: whoever waits for money must not hold a place in the flow.
        claim = await self._budget.reserve(expected, request.max_tokens)
        await self._limiter.acquire(expected + request.max_tokens)
        most, spent = (expected, request.max_tokens), (0, 0)
        try:
            # Asked again after waiting: another request may have stopped the run meanwhile.
            if self._stopped:
                raise self._stopped
            status, headers, content = await self._post(body, key)
            self._refuse(status, headers, content)
            if not 200 <= status < 300:
                said = self._said(content) if status >= 400 else f"redirect to {self._redirect(headers)}"
                self._firsts.failed(number, f"status {status}", said)
                return Reply("", self._model, "error", error=f"refused with status {status}: {said}")
            reply = reply_of(self._api, content, request, self._model)
            spent = (reply.prompt_tokens, reply.completion_tokens)
            self._limiter.succeeded()
            self._firsts.heard = True
            return reply
        except BadReplyError as error:
            spent = most  # what was cut or garbled was generated all the same
            raise _RetryError("broken reply") from error
        except _RetryError as error:
            spent = most if error.sold else spent
            raise
        finally:
            self._limiter.release()
            self._budget.settle(claim, *spent)

    async def _post(self, body: bytes, key: str) -> tuple[int, Mapping[str, str], bytes]:
        import httpx

        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        begun = False
        try:
            with self._connections.one() as client:
                # The timeout spans the whole response: httpx's own counts from byte to byte and never ends a slow drip.
                async with (
                    asyncio.timeout(self._timeout),
                    client.stream("POST", self._api.path(self._model), content=body, headers=headers) as response,
                ):
                    # From here on the endpoint is generating, and a connection that breaks may still be charged.
                    begun = response.status_code == 200
                    content = b""
                    async for chunk in response.aiter_bytes():
                        content += chunk
                        if len(content) > _LARGEST:
                            raise BadReplyError(f"more than {_LARGEST} bytes")
                    return response.status_code, response.headers, content
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _RetryError(f"no connection ({innermost(error)})", unreachable=True) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise _RetryError("timeout", sold=True) from error
        except httpx.DecodingError as error:
            raise BadReplyError("the body is not encoded as its header says") from error
        except httpx.RequestError as error:
            raise _RetryError("connection", sold=begun) from error

    def _refuse(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        if status in _BUSY:
            wait = retry_after(headers)
            self._limiter.refused(min(wait, _LONGEST_WAIT))  # others, with more patience, try again before
            raise _RetryError(f"status {status}", wait, busy=True)
        if status in _AGAIN or status >= 500:
            raise _RetryError(f"status {status}", retry_after(headers))
        if status in _FATAL:
            raise InputError(f"the endpoint answers {status}: {self._said(content)}; check the key, the model and the address")

    def _redirect(self, headers: Mapping[str, str]) -> str:
        """Where an answer sends us, without the query: nobody is sent a key and pictures whom the user did not name."""
        return self._said(headers.get("location", "nowhere").partition("?")[0].encode())

    def _said(self, content: bytes) -> str:
        """The start of an error body, without the key that some endpoints repeat there."""
        text = content.decode(errors="replace")
        text = text.replace(self._secret, "***") if self._secret else text
        return " ".join(text.split())[:200]


def innermost(error: BaseException) -> str:
    """What the system said about a connection: libraries wrap it in "all connection attempts failed"."""
    said, inner = str(error), error.__cause__ or error.__context__
    while inner is not None:
        if isinstance(inner, BaseExceptionGroup):
            inner = inner.exceptions[0]
        if isinstance(inner, ConnectionError) and inner.errno:
            said = os.strerror(inner.errno)
        elif isinstance(inner, OSError) and inner.strerror:
            said = inner.strerror
        inner = inner.__cause__ or inner.__context__
    return said or "timeout"


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait, from `retry-after-ms` or `Retry-After` (seconds or a date); 0 when absent or unreadable."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return min(_FOREVER, max(0.0, float(value) / unit))
        except ValueError:
            pass
        try:
            return min(_FOREVER, max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time()))
        except ValueError:
            return 0.0
    return 0.0
