"""What a record says about training beside its words: a system sentence, and turns that are shown but not taught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vistune.data.fields.typed import as_text
from vistune.errors import InputError
from vistune.sample import Text, Turn

WEIGHTS = ("weight", "loss", "train")
"""Keys by which a turn says whether it is taught: OpenAI's, ms-swift's, our own."""


def is_taught(turn: Mapping[str, Any], where: str) -> bool:
    """Whether an answer is taught: 0 and false say no, 1, true and nothing say yes. Raises `InputError` for a share."""
    taught = True
    for key in WEIGHTS:
        value = turn.get(key)
        if value is None:
            continue
        if not isinstance(value, bool | int | float) or value not in (0, 1):
            raise InputError(
                f"{where}: {key!r} of a turn is {value!r}: a turn is taught whole (1, true) or not at all (0, false)"
            )
        taught = taught and bool(value)
    return taught


def with_system(turns: Sequence[Turn], system: Any, where: str) -> tuple[Turn, ...]:
    """The turns behind a record's own system sentence, which is text, or nothing.

    Raises `InputError` when they begin with another system turn: there is one, and either would be lost.
    """
    if system is None or system == "":
        return tuple(turns)
    text = as_text(system, where, "'system'")
    if turns and turns[0].role == "system":
        if turns[0].text == text:
            return tuple(turns)
        raise InputError(f"{where}: has a key 'system' and a system turn, which say different things: keep one")
    return (Turn("system", (Text(text),)), *turns)
