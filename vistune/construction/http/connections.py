"""`Connections`: a client of its own for every request in flight, kept for the next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vistune.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import httpx


class Connections:
    """HTTP clients of one connection each. One client of many connections looks through them all for every request.

    Raises `MissingExtraError` when httpx is not installed, `InputError` for an address that it cannot read.
    """

    def __init__(self, url: str, headers: Mapping[str, str], timeout: float) -> None:
        try:
            import httpx
        except ImportError as error:
            raise MissingExtraError("httpx", "build", "asking an endpoint") from error
        try:
            httpx.URL(url)
        except httpx.InvalidURL as error:
            raise InputError(f"endpoint {url!r} is no address: {error}") from error
        # Made once: reading the system's certificates takes longer than a request.
        self._trust = httpx.create_ssl_context(trust_env=False)
        self._url = url.rstrip("/") + "/"
        # Connecting has less time than the whole try, so that a request that was never sent is known from one that was.
        self._timeout = httpx.Timeout(timeout, connect=min(timeout, max(1.0, timeout / 2)))
        self._headers = dict(headers)
        self._idle: list[httpx.AsyncClient] = []

    @contextmanager
    def one(self) -> Iterator[httpx.AsyncClient]:
        """A client that nobody else uses meanwhile: the one used last, whose connection is most likely still open."""
        client = self._idle.pop() if self._idle else self._new()
        try:
            yield client
        finally:
            self._idle.append(client)

    def _new(self) -> httpx.AsyncClient:
        import httpx

        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        return httpx.AsyncClient(
            base_url=self._url,
            headers=self._headers,
            timeout=self._timeout,
            limits=limits,
            # No proxies or credentials out of the environment: a key goes only to the address that was typed.
            trust_env=False,
            verify=self._trust,
        )

    async def close(self) -> None:
        """Close those that are idle: call it when nothing is in flight."""
        for client in self._idle:
            await client.aclose()
