"""Which requests are meant for a server that only this machine is to reach."""

from __future__ import annotations

from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_loopback(host: str) -> bool:
    """Does a `Host` header name this machine?

    Another name may lead here as well: a page elsewhere can have its own name resolve to 127.0.0.1 and then read what a server
    answers (DNS rebinding). What is no host at all is none of ours.
    """
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False
