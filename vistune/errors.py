"""The kinds of failure a user can act on.

Everything a user can cause (a file, a record, a key, a command line) ends in one of these, with one sentence that says
which file or record, what is wrong and what would be right. The command line prints the sentence and exits with code 2.
Anything else that escapes is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

_SENTENCE = 1200  # letters at most


class InputError(ValueError):
    """Something the user gave is wrong: the message is one sentence naming it, the fault and the remedy.

    What the sentence quotes, a library's message or a value of a file, may have lines of its own, which become one, and any
    length, which is cut in its middle.
    """

    def __init__(self, message: str) -> None:
        line = " ".join(line.strip() for line in message.splitlines())
        super().__init__(line if len(line) <= _SENTENCE else f"{line[: _SENTENCE - 300]} [...] {line[-290:]}")


class TooLongError(InputError):
    """A sample takes more tokens than the model reads."""


class MissingExtraError(InputError):
    """An optional library is not installed."""

    def __init__(self, library: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the library {library!r}: install it with  pip install 'vistune[{extra}]'")
        self._given = (library, extra, purpose)

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str, str]]:
        """Built again from what it was given: from its message alone it cannot be, and a pool of processes would hang on it."""
        return type(self), self._given


_LONGEST = 300  # letters of a library's message that are told


@contextmanager
def reading(what: str, *but: type[Exception]) -> Iterator[None]:
    """Within the block a library reads what a stranger made: whatever it raises becomes the sentence `what: why`.

    Libraries fail in as many ways as a file can be broken in, and document few of them. Only what a file decides belongs into
    the block: a fault of ours in it would be taken for the file's. Errors of the kinds `but` are left to the caller.
    """
    try:
        yield
    except Exception as error:
        # A sentence of ours from deeper inside is kept as it is: wrapping it would hide the better one.
        if isinstance(error, (InputError, *but)):
            raise
        raise InputError(f"{what}: {advice(error) or why(error)}") from error


def why(error: Exception) -> str:
    """An error's text in one line, cut where it turns into advice; its kind where it has none."""
    said = " ".join(str(error).split()).split(". ")[0]
    return said[:_LONGEST] or type(error).__name__


class Interrupted(BaseException):  # not for who catches all errors; nor for libraries that end on Ctrl-C
    """Somebody asked for an end, and what was done is kept: the message says how to go on, `code` is the exit code."""

    def __init__(self, message: str, code: int = 130) -> None:
        super().__init__(message)
        self.code = code


def speaks() -> bool:
    """Is this process the one of several under a launcher that talks to the user? Alone, it is."""
    return os.environ.get("RANK", "0") == "0"


_NO_MEMORY = (
    *("can't allocate memory", "out of memory", "Cannot allocate memory"),
    *("can't start new thread", "failed to map segment"),  # of a stack, of a library
)
_NO_ROOM = ("No space left on device", "File too large", "Disk quota exceeded")


def advice(error: BaseException) -> str | None:
    """What to do about memory or disk space that ran out, in one sentence; None for any other error.

    Libraries say both in errors of many types, so that the words decide. A name that is too long for a file is told, too:
    every question about a path, even whether it exists, ends in it.
    """
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return f"no file can have the name {str(error.filename)[:80]!r}..., which is too long: check what was given as a path"
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or any(word in text for word in _NO_MEMORY):
        return (
            f"memory ran out ({text[:120] or 'no more to be had'}): in training set micro=1 or max_tokens for the stage"
            " (--set stages.NAME.micro=1), or recompute=[llm]; in answering lower --batch-size; `vistune plan` says what fits"
        )
    if any(word in text for word in _NO_ROOM):
        return (
            f"the disk is full ({text[:120]}): free some space and give the same command again, it goes on from what"
            " is whole; --save-every keeps states further apart, and stages' cache=off writes no features"
        )
    return None


def nearest(name: str, known: list[str]) -> str:
    """` (did you mean 'x'?)` for the closest known name, or the list of known names when none is close."""
    import difflib

    # 0.6 finds a swapped or missing letter and leaves unrelated names alone.
    said = [str(each) for each in known]  # keys of a file may be anything
    close = difflib.get_close_matches(str(name), said, n=1, cutoff=0.6)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (known: {', '.join(sorted(said))})" if said else ""
