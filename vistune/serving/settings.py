"""What a server is started with."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from vistune.errors import InputError
from vistune.serving.engine.engine import Limits
from vistune.trust import LOOPBACK


@dataclass(frozen=True)
class Settings:
    """Where a server listens, who may ask it, and how much.

    `key` must come with every request under /v1. `names` are hosts it answers to besides loopback and plain addresses,
    `origins` pages of other origins that may ask, `hosts` where media may be fetched from. `body` is in bytes, `seconds` is how
    long a sender may take, `drain` how long running answers are waited for. `votes` is the folder of a study that
    comparisons on the page are written to.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    key: str | None = None
    open: bool = False
    names: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    body: int = 64 << 20
    held: int = 512 << 20
    seconds: float = 30.0
    drain: float = 60.0
    max_tokens: int = 4096
    votes: Path | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if self.key is not None and (not self.key or not self.key.isascii() or not self.key.isprintable() or " " in self.key):
            raise InputError("the API key is empty or holds a blank or a letter outside ASCII, which no key does")
        if self.key is None and not self.open and not loopback(self.host):
            raise InputError(
                f"--host {self.host} can be reached by others: give --api-key (or VISTUNE_API_KEY), or --open to serve anyone"
            )


def loopback(host: str) -> bool:
    """Whether a name is this machine alone."""
    try:
        return host in LOOPBACK or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
