"""A conversation as `User:` and `Assistant:` paragraphs (LLaVA-Med): one reply is one conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vistune.construction.parsers.base import Format, Item, Parsed, Problem, failed, unix

_SPEAKER = re.compile(r"^[ \t]*(User|Assistant):[ \t]*", re.MULTILINE)


def parse(text: str) -> Parsed:
    """Speakers must alternate, the user first, the assistant last; any fault costs the whole reply."""
    before, *rest = _SPEAKER.split(unix(text).strip())
    if not rest:
        return failed("nothing found", text)
    if before.strip():
        return failed("text before the first speaker", before)
    speakers, said = rest[::2], [words.strip() for words in rest[1::2]]
    if speakers != ["User", "Assistant"] * (len(speakers) // 2):
        return failed("speakers do not alternate", text)
    if not all(said):
        return failed("a speaker says nothing", text)
    return Parsed((Item(tuple(zip(said[::2], said[1::2], strict=True))),))


def as_released(text: str) -> Parsed:
    """The reading of the released code, which keeps what can be kept, empty texts included.

    What stands before the first `User:` is left out; a turn that does not hold exactly one `Assistant:` is a problem, and the
    others are one conversation.
    """
    pairs: list[tuple[str, str]] = []
    problems = []
    for piece in unix(text).split("User:")[1:]:
        said = piece.split("Assistant:")
        if len(said) == 2:
            pairs.append((said[0].strip(), said[1].strip()))
        else:
            problems.append(Problem("not a question and an answer", piece))
    if not pairs:
        return Parsed((), (*problems, Problem("nothing found", text)))
    return Parsed((Item(tuple(pairs)),), tuple(problems))


def write(items: Sequence[Item]) -> str:
    """The inverse; several items become one conversation."""
    return "\n".join(f"User: {ask}\nAssistant: {tell}" for item in items for ask, tell in item.pairs)


FORMAT = Format(
    "user_assistant",
    "Write the conversation as paragraphs that begin with 'User: ' and 'Assistant: ' in turn, the user first. Write nothing "
    "else.",
    parse,
    write,
)
