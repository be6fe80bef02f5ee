"""What every reply format is: an instruction for the model, a strict parser and the parser's inverse."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One dialogue of a reply: (user, assistant) pairs, and what the format says beside them."""

    pairs: Pairs
    fields: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, *pairs: tuple[str, str], **fields: Any) -> Item:
        """`Item.of(("Where?", "Here."), tool="...")`."""
        return cls(pairs, fields)


@dataclass(frozen=True, slots=True)
class Problem:
    """A piece of a reply that does not follow the format: why (a short, countable phrase) and the piece itself."""

    reason: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What could be read, in order, and what could not."""

    items: tuple[Item, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """A reply format.

    `parse(write(items)) == Parsed(items)` for items the format can express. When `independent`, a problem costs only its
    own piece; otherwise it costs the whole reply.
    """

    name: str
    instruction: str
    parse: Callable[[str], Parsed]
    write: Callable[[Sequence[Item]], str]
    independent: bool = False


def failed(reason: str, text: str = "") -> Parsed:
    """Nothing could be read."""
    return Parsed((), (Problem(reason, text),))


def literal(text: str) -> Any:
    """A Python literal, nothing evaluated. Raises `ValueError` for whatever is none.

    Python itself has many ways to refuse: a set of dictionaries is a `TypeError`, deep nesting a `RecursionError` or a
    `MemoryError`, a NUL a `SyntaxError` or a `ValueError`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes like backslash-d in what a model wrote
            return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError("not a Python literal") from error


def shown(value: Any) -> str:
    """A value of a reply as text; empty for what cannot be written: a number too long, a list too deep."""
    try:
        return str(value)
    except (ValueError, MemoryError, RecursionError):
        return ""


def spoken(value: Any) -> bool:
    """Is a value text that says something and can be saved? An escape may stand for half a character, which cannot."""
    return isinstance(value, str) and bool(value.strip()) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def unix(text: str) -> str:
    """Line ends as LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
