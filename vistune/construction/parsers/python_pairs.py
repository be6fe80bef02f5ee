"""A Python list of `{'Q': ..., 'A': ...}` dictionaries, or a single one (Video-ChatGPT).

The reply is read as one literal and nothing is evaluated. Unlike the released code we check the keys and the types.
"""

from __future__ import annotations

from collections.abc import Sequence

from vistune.construction.parsers.base import Format, Item, Parsed, failed, literal, shown, spoken

_LONGEST = 100_000


def parse(text: str) -> Parsed:
    """One item per dictionary; any fault costs the whole reply."""
    if len(text) > _LONGEST:
        return failed("reply too long", text[:200])
    try:
        value = literal(text.strip())
    except ValueError:
        return failed("not a Python literal", text)
    entries = [value] if isinstance(value, dict) else value
    if not isinstance(entries, list | tuple):
        return failed("not a list of dictionaries", text)
    if not entries:
        return failed("nothing found", text)
    items = []
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != {"Q", "A"}:
            return failed("keys are not Q and A", shown(entry))
        if not all(map(spoken, entry.values())):
            return failed("a question or answer is not text", shown(entry))
        items.append(Item.of((entry["Q"].strip(), entry["A"].strip())))
    return Parsed(tuple(items))


def write(items: Sequence[Item]) -> str:
    """The inverse."""
    return repr([{"Q": ask, "A": tell} for item in items for ask, tell in item.pairs])


FORMAT = Format(
    "python_pairs",
    "Reply with a Python list of dictionaries, each with the two keys 'Q' and 'A' holding text, and nothing around the list.",
    parse,
    write,
)
