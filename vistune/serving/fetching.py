"""Media behind http(s) addresses, from hosts named at the start and no others: no redirects, bounded in bytes and time."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from vistune.serving.protocol.fields import shown
from vistune.serving.refusals import Refusal

SECONDS = 20.0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


# Neither proxies nor redirects: an allowed host could otherwise send this server to any other, inside the network as well.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())


def fetched(url: str, where: str, hosts: Collection[str], limit: int) -> bytes:
    """The bytes at `url`. `hosts` are `name` or `name:port`. Raises `Refusal` for any other host, and what goes wrong."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise Refusal(f"{where} is no address: {error}", param=where) from error
    host = (parts.hostname or "").lower()
    standard = port == (443 if parts.scheme == "https" else 80)
    allowed = f"{host}:{port}" in hosts or (standard and host in hosts)
    if not allowed or parts.username is not None or parts.password is not None:
        raise Refusal(
            f"{where} is at {shown(host)}, and media are fetched only from hosts the server was started with (--allow-host):"
            " send a data: URL",
            param=where,
        )
    try:
        with _OPENER.open(urllib.request.Request(url, headers={"User-Agent": "vistune"}), timeout=SECONDS) as reply:
            # One byte more than allowed tells a file that is too large from one that just fits.
            content: bytes = reply.read(limit + 1)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise Refusal(f"{where} could not be fetched from {host}: {' '.join(str(error).split())[:200]}", param=where) from error
    if len(content) > limit:
        raise Refusal(f"{where} is larger than the {limit} bytes that are read", 413, where)
    return content
