"""What no input may bring about, watched while it is read."""

from __future__ import annotations

import ipaddress
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vistune
from vistune.errors import InputError

CANARY = "canary_of_the_fuzzer"
"""A module that lies on the path: whoever imports it took a name from a file."""
_RUNS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn")
_MOST = 2000  # letters of a sentence
_PACKAGE = str(Path(vistune.__file__).parent)


class Executed(BaseException):
    """Code of the input's choice was about to run, an address to be asked, or a file outside to be read or written."""


class Changed(AssertionError):
    """What was read is not what the input says."""


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile input: its `kind` for the counts, and `check`, which reads it and looks whether it was read as it is.

    Files are read from the case's own folder, and from nowhere else where `inside`: then a stranger chose their names.
    """

    kind: str
    check: Callable[[], None]
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """`read`, `refused`, or what must not be: `execution`, `change`, `traceback`,
    `memory`, and of the parent `hang` and `crash`."""

    what: str
    where: str = ""
    text: str = ""

    @property
    def bad(self) -> bool:
        """Is it a finding?"""
        return self.what not in ("read", "refused")


class _Watch:
    room: Path | None = None
    inside = False
    caught: list[str]


_watch = _Watch()
_watch.caught = []


def install(secret: Path) -> None:
    """Watch this process for good. `secret` is a file that no name in an input may lead to."""
    told = os.path.realpath(secret)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if _watch.room is None:
            return
        if (found := _forbidden(event, arguments, told)) is not None:
            _watch.caught.append(found)
            raise Executed(found)

    sys.addaudithook(hook)


def _forbidden(event: str, arguments: tuple[Any, ...], secret: str) -> str | None:
    if event == "import":
        return f"imports {arguments[0]}" if str(arguments[0]).partition(".")[0] == CANARY else None
    if event in _RUNS:
        return f"{event} {arguments[:2]!r}"
    if event in ("socket.connect", "socket.getaddrinfo"):
        host = arguments[1][0] if event == "socket.connect" and isinstance(arguments[1], tuple) else arguments[0]
        return None if (event == "socket.connect" and not isinstance(arguments[1], tuple)) or _here(host) else f"asks {host}"
    if event == "open" and isinstance(arguments[0], str) and isinstance(arguments[2], int):
        return _opened(arguments[0], arguments[2], secret)
    return None


def _here(host: Any) -> bool:
    try:
        return host in ("localhost", None) or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _opened(path: str, flags: int, secret: str) -> str | None:
    if _watch.inside and os.path.basename(path) == os.path.basename(secret):
        return f"reads {path}"
    if flags & (os.O_WRONLY | os.O_RDWR) and not path.startswith(("/dev/", "/tmp/", "/proc/")):
        room = str(_watch.room)
        return None if os.path.realpath(path).startswith(os.path.realpath(room)) else f"writes {path}"
    return None


@contextmanager
def _watched(room: Path, inside: bool) -> Iterator[None]:
    _watch.room, _watch.inside = room, inside
    _watch.caught.clear()
    try:
        yield
    finally:
        _watch.room = None


def attempt(case: Case, room: Path) -> Outcome:
    """Read one input, and say how it went."""
    try:
        with _watched(room, case.inside):
            case.check()
        found = Outcome("read")
    except InputError as error:
        found = _sentence(str(error))
    except Changed as error:
        found = Outcome("change", _place(error), str(error))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what the fuzzer looks for
        found = Outcome("traceback", f"{type(error).__name__} at {_place(error)}", "".join(traceback.format_exception(error)))
    if _watch.caught:  # whoever caught the exception: it was about to happen
        return Outcome("execution", _watch.caught[0][:80], "\n".join(_watch.caught) + "\n" + found.text)
    return found


def _sentence(text: str) -> Outcome:
    """One line that a terminal can print."""
    if not text.strip() or "\n" in text or len(text) > _MOST:
        return Outcome("traceback", "not one sentence", text)
    return Outcome("refused", text=text)


def _place(error: BaseException) -> str:
    """The last line of the package's own in a traceback, of whatever was raised first."""
    frames = traceback.extract_tb(error.__traceback__)
    last = next((frame for frame in reversed(frames) if f"{_PACKAGE}/" in frame.filename), frames[-1])
    return f"{last.filename.removeprefix(f'{_PACKAGE}/')}:{last.lineno} {last.name}"
