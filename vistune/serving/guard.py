"""What every request passes before anything looks at it: Host, Origin, key, and the size and time of its body."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vistune.serving.refusals import Refusal
from vistune.serving.service import Service
from vistune.serving.settings import Settings
from vistune.trust import LOOPBACK, host_name

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
    "media-src 'self' data: blob:; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_COUNTED = ("/v1/chat/completions", "/v1/responses", "/v1/rank", "/v1/models", "/health", "/metrics", "/votes", "/")
_KEYED = ("/v1", "/metrics", "/votes")


class Guard:
    """Wraps an application."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, origin = Headers(scope=scope), None
        status = 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = _HEADERS | _cors(origin)
                message["headers"] = [*message["headers"], *((k.lower().encode(), v.encode()) for k, v in more.items())]
            await send(message)

        try:
            check_host(headers.get("host", ""), self.service.settings)
            origin = checked_origin(headers, self.service.settings)
            if origin is not None and scope["method"] == "OPTIONS":
                # A preflight brings no key by design; what it asks permission for will be checked when it comes.
                await Response(status_code=204)(scope, receive, sent)
            else:
                if any(scope["path"] == path or scope["path"].startswith(f"{path}/") for path in _KEYED):
                    check_key(headers.get("authorization", ""), self.service.settings.key)
                await self.app(scope, receive, sent)
        except Refusal as error:
            await refused(error)(scope, receive, sent)
        finally:
            known = scope["path"] if scope["path"] in _COUNTED else "other"  # a label for each path would be endless
            self.service.metrics.requests.labels(known, status).inc()


def refused(error: Refusal) -> JSONResponse:
    """A refusal as a response."""
    return JSONResponse(error.to_json(), error.status, error.headers)


def check_host(host: str, settings: Settings) -> None:
    """Refuse names that were made to resolve to this machine (DNS rebinding): plain addresses are nobody's name."""
    name = host_name(host)
    if name in LOOPBACK or name in settings.names or (name and name == settings.host.lower()):
        return
    try:
        ipaddress.ip_address(name)
    except ValueError as error:
        raise Refusal("this server does not answer to the name it was asked under (--name)", 403, code="host") from error


def checked_origin(headers: Mapping[str, str], settings: Settings) -> str | None:
    """The origin of another page that may ask; None for none and for our own. Raises `Refusal` for any other."""
    origin = headers.get("origin")
    if origin is None:
        return None
    if origin in settings.origins:
        return origin
    try:
        own = urlsplit(origin).netloc.lower() == headers.get("host", "").lower() and urlsplit(origin).scheme in (
            "http",
            "https",
        )
    except ValueError:
        own = False
    if not own:
        raise Refusal("pages of other origins may not ask this server (--allow-origin)", 403, code="origin")
    return None


def check_key(given: str, key: str | None) -> None:
    """Compare a bearer token, in a time that tells nothing."""
    if key is None:
        return
    scheme, _, token = given.partition(" ")
    # The token is compared first and always: leaving early on a wrong scheme would answer measurably sooner.
    if not hmac.compare_digest(token.strip().encode(), key.encode()) or scheme.lower() != "bearer":
        raise Refusal("the API key is missing or wrong: send it as 'Authorization: Bearer KEY'", 401, code="invalid_api_key")


def _cors(origin: str | None) -> dict[str, str]:
    if origin is None:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Headers": "authorization, content-type",
        "Access-Control-Allow-Methods": "GET, POST",
        "Vary": "Origin",
    }


class Bodies:
    """Reads bodies: each at most `settings.body` bytes within `settings.seconds`, all together at most `settings.held`."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._held = settings, 0

    async def read(self, request: Request) -> bytes:
        """A JSON body. Raises `Refusal` 408, 413, 415 or 429."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal("send the body as application/json", 415)  # a foreign page's form cannot send this type
        most = self._settings.body
        length = request.headers.get("content-length", "0")
        # The header may be a number of a thousand digits, which Python refuses to read.
        if length.isdecimal() and (len(length) > 15 or int(length) > most):
            raise Refusal(f"the body is larger than the {most} bytes that are read", 413)
        try:
            async with asyncio.timeout(self._settings.seconds):
                return await self._gathered(request, most)
        except TimeoutError as error:
            raise Refusal(f"the body did not arrive within {self._settings.seconds:g} seconds", 408) from error
        except ClientDisconnect as error:
            raise Refusal("the client hung up", 408) from error

    async def _gathered(self, request: Request, most: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        try:
            async for piece in request.stream():
                size += len(piece)
                self._held += len(piece)
                if size > most:
                    raise Refusal(f"the body is larger than the {most} bytes that are read", 413)
                if self._held > self._settings.held:
                    raise Refusal("the server is busy: too many bodies arrive at once", 429, retry_after=1)
                pieces.append(piece)
        finally:
            # Whatever ends the reading, its share of the common bound is given back.
            self._held -= size
        return b"".join(pieces)


def parsed(body: bytes) -> dict[str, Any]:
    """A body as a JSON object. Raises `Refusal`."""
    try:
        value = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"the body is not JSON ({' '.join(str(error).split())[:120]})") from error
    if not isinstance(value, dict):
        raise Refusal("the body is not a JSON object")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
