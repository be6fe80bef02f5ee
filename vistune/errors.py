"""The kinds of failure a user can act on.

Everything a user can cause (a file, a record, a key, a command line) ends in one of these, with one sentence that says
which file or record, what is wrong and what would be right. The command line prints the sentence and exits with code 2.
Anything else that escapes is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import os


class InputError(ValueError):
    """Something the user gave is wrong: the message is one sentence naming it, the fault and the remedy."""


class MissingExtraError(InputError):
    """An optional library is not installed."""

    def __init__(self, library: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the library {library!r}: install it with  pip install 'vistune[{extra}]'")
        self._given = (library, extra, purpose)

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str, str]]:
        """Built again from what it was given: from its message alone it cannot be, and a pool of processes would hang on it."""
        return type(self), self._given


class Interrupted(BaseException):  # not for who catches all errors; nor for libraries that end on Ctrl-C
    """Somebody asked for an end, and what was done is kept: the message says how to go on, `code` is the exit code."""

    def __init__(self, message: str, code: int = 130) -> None:
        super().__init__(message)
        self.code = code


def speaks() -> bool:
    """Is this process the one of several under a launcher that talks to the user? Alone, it is."""
    return os.environ.get("RANK", "0") == "0"


def nearest(name: str, known: list[str]) -> str:
    """` (did you mean 'x'?)` for the closest known name, or the list of known names when none is close."""
    import difflib

    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (known: {', '.join(sorted(known))})" if known else ""
