"""Connections that open and say nothing, or half of a head: they are hung up on, so that their places come free.

uvicorn times only what comes after an answer; the body of a request is timed where it is read (`guard`).
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class PatientProtocol(H11Protocol):
    """HTTP over a connection whose sender has `patience` seconds for the head of a request, counted from its first byte."""

    def __init__(self, *arguments: Any, patience: float, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._patience = patience
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Of `asyncio`: the connection is open."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Of `asyncio`: some bytes came."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Of `asyncio`: either side closed it."""
        self._unwatch()
        super().connection_lost(exc)

    def _waiting(self) -> bool:
        """Is a head still to come? A request whose head is there has a cycle until it is answered."""
        return self.cycle is None or self.cycle.response_complete

    def _watch(self) -> None:
        if not self._waiting():
            self._unwatch()
        elif self._timer is None:
            self._timer = self.loop.call_later(self._patience, self._late)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self._waiting() and not self.transport.is_closing():
            self.transport.close()
