"""A single text: a description, a summary, a translation, a rewritten answer. The caller supplies the question."""

from __future__ import annotations

from collections.abc import Sequence

from vistune.construction.parsers.base import Format, Item, Parsed, failed

_PREAMBLES = ("sure,", "sure!", "certainly", "here is", "here's", "of course")


def parse(text: str) -> Parsed:
    """The whole reply; a chatty opening line that ends in a colon is a fault, not part of the text."""
    body = text.strip()
    if not body:
        return failed("nothing found")
    first = body.split("\n", 1)[0].strip()
    if first.lower().startswith(_PREAMBLES) and first.endswith(":"):
        return failed("preamble", first)
    return Parsed((Item.of(("", body)),))


def write(items: Sequence[Item]) -> str:
    """The inverse, for one item."""
    (item,) = items
    return item.pairs[0][1]


FORMAT = Format("free_text", "Write only the text itself, without any introduction.", parse, write)
