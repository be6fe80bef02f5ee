"""A conversation as `User:` and `Assistant:` paragraphs (LLaVA-Med): one reply is one conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vistune.construction.parsers.base import Format, Item, Parsed, failed, unix

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
