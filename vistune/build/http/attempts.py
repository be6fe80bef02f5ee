"""`Attempts`: one request until it is answered, refused for good, or out of tries."""

from __future__ import annotations

import asyncio
import email.utils
import random
import time
from collections.abc import Mapping

from vistune.build.account import Account
from vistune.build.http.apis.base import Api
from vistune.build.http.budget import Budget
from vistune.build.http.connections import Connections
from vistune.build.http.limiter import Limiter
from vistune.build.http.wire import BadReplyError, body_of, prompt_tokens, reply_of
from vistune.completer import Reply, Request
from vistune.errors import InputError

_BUSY = frozenset({429, 503, 529})
_AGAIN = frozenset({408, 409, 425, 500, 502, 504})
_FATAL = frozenset({401, 402, 403, 404})
_LONGEST_WAIT = 60.0
_LARGEST = 16 * 2**20


class _RetryError(Exception):
    """Try again, after at least `wait` seconds."""

    def __init__(self, cause: str, wait: float = 0.0, busy: bool = False) -> None:
        super().__init__(cause)
        self.cause, self.wait, self.busy = cause, wait, busy


class Attempts:
    """Sends requests to one endpoint. Raises `InputError` for what no retry can mend (a refused key, an unknown model).

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

    async def answer(self, request: Request, key: str) -> Reply:
        """The reply, or a `Reply` with `error`. Once one request has stopped the run, no further one is sent."""
        try:
            return await self._answer(request, key)
        except InputError as error:
            self._stopped = error
            raise

    async def _answer(self, request: Request, key: str) -> Reply:
        body = body_of(self._api, request, self._model, self._extra)
        expected = prompt_tokens(request)
        began, failures, last = time.monotonic(), 0, ""
        while failures <= self._retries and time.monotonic() - began <= self._patience:
            try:
                return await self._once(request, body, key, expected)
            except _RetryError as error:
                last = error.cause
                self._account.retries[error.cause] += 1
                failures += not error.busy
                backoff = min(_LONGEST_WAIT, 0.25 * 2**failures)
                await asyncio.sleep(error.wait + random.uniform(0, backoff))
        return Reply("", self._model, "error", error=f"{last} after {failures} failed tries")

    async def _once(self, request: Request, body: bytes, key: str, expected: int) -> Reply:
        claim = await self._budget.reserve(expected, request.max_tokens)
        await self._limiter.acquire(expected + request.max_tokens)
        spent = (0, 0)
        try:
            if self._stopped:
                raise self._stopped
            status, headers, content = await self._post(body, key)
            self._refuse(status, headers, content)
            if status >= 400:
                return Reply("", self._model, "error", error=f"refused with status {status}: {self._said(content)}")
            # A body that was cut was generated all the same: it is charged at its most until a real count is known.
            spent = (expected, request.max_tokens)
            reply = reply_of(self._api, content, request, self._model)
            spent = (reply.prompt_tokens, reply.completion_tokens)
            self._limiter.succeeded()
            return reply
        except BadReplyError as error:
            raise _RetryError("broken reply") from error
        except TimeoutError as error:
            raise _RetryError("timeout") from error
        finally:
            self._limiter.release()
            self._budget.settle(claim, *spent)

    async def _post(self, body: bytes, key: str) -> tuple[int, Mapping[str, str], bytes]:
        import httpx

        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        try:
            with self._connections.one() as client:
                async with (
                    asyncio.timeout(self._timeout),
                    client.stream("POST", self._api.path(self._model), content=body, headers=headers) as response,
                ):
                    content = b""
                    async for chunk in response.aiter_bytes():
                        content += chunk
                        if len(content) > _LARGEST:
                            raise BadReplyError(f"more than {_LARGEST} bytes")
                    return response.status_code, response.headers, content
        except httpx.TimeoutException as error:
            raise _RetryError("timeout") from error
        except httpx.TransportError as error:
            raise _RetryError("connection") from error

    def _refuse(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        if status in _BUSY:
            wait = retry_after(headers)
            self._limiter.refused(wait)
            raise _RetryError(f"status {status}", wait, busy=True)
        if status in _AGAIN or status >= 500:
            raise _RetryError(f"status {status}", retry_after(headers))
        if status in _FATAL:
            raise InputError(f"the endpoint answers {status}: {self._said(content)}; check the key, the model and the address")

    def _said(self, content: bytes) -> str:
        """The start of an error body, without the key that some endpoints repeat there."""
        text = content.decode(errors="replace")
        text = text.replace(self._secret, "***") if self._secret else text
        return " ".join(text.split())[:200]


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait, from `retry-after-ms` or `Retry-After` (seconds or a date); 0 when absent or unreadable."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return min(_LONGEST_WAIT, max(0.0, float(value) / unit))
        except ValueError:
            pass
        try:
            return min(_LONGEST_WAIT, max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time()))
        except ValueError:
            return 0.0
    return 0.0
