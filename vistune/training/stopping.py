"""Ctrl-C and SIGTERM end a run between two steps, with a state to go on from."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from vistune.errors import Interrupted

_ASKED = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Whether somebody asked this process to stop: `asked` is the signal's number, 0 for none."""

    def __init__(self) -> None:
        self.asked = 0

    def stopped(self, where: str, number: int) -> Interrupted:
        """The error to raise once a state is saved."""
        name = signal.Signals(number).name
        kept = "a state is saved, and the same command goes on from it"
        return Interrupted(f"{where} was stopped by {name}; {kept}", 128 + number)


@contextmanager
def stopping() -> Iterator[Stopping]:
    """Within the block the first SIGINT or SIGTERM is noted; a second one ends the process as it would have without us.

    Elsewhere than in the main thread, where Python handles no signals, nothing changes.
    """
    found = Stopping()
    if threading.current_thread() is not threading.main_thread():
        yield found
        return
    before: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        found.asked = number
        # At the first signal: whoever presses Ctrl-C twice wants out at once and does not wait for the state.
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        before.clear()

    for number in _ASKED:
        before[number] = signal.signal(number, note)
    try:
        yield found
    finally:
        restore()
