"""Numbered or plain `Instruction:` and `Reason:` pairs (LRV-Instruction's negatives); the reason is the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vistune.construction.parsers.base import Format, Item, Parsed, Problem, failed, unix

_START = re.compile(r"^\s*(?:\d{1,3}[.)]\s*)?Instruction:[ \t]*", re.MULTILINE)
_REASON = re.compile(r"^\s*(?:\d{1,3}[.)]\s*)?Reason:[ \t]*", re.MULTILINE)


def parse(text: str) -> Parsed:
    """Every pair is read or reported; text before the first instruction is reported."""
    text = unix(text)
    starts = list(_START.finditer(text))
    if not starts:
        return failed("nothing found", text)
    problems = (
        [Problem("text before the first instruction", text[: starts[0].start()])] if text[: starts[0].start()].strip() else []
    )
    items = []
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        block = text[start.end() : following.start() if following else len(text)]
        parts = _REASON.split(block)
        if len(parts) != 2 or not all(part.strip() for part in parts):
            problems.append(Problem("not an instruction and a reason", block))
        else:
            items.append(Item.of((parts[0].strip(), parts[1].strip())))
    return Parsed(tuple(items), tuple(problems))


def write(items: Sequence[Item]) -> str:
    """The inverse."""
    return "\n".join(f"Instruction: {ask}\nReason: {tell}" for item in items for ask, tell in item.pairs)


FORMAT = Format(
    "instruction_reason",
    "Write each instruction on a line beginning with 'Instruction: ' and, on the next line, its answer beginning with "
    "'Reason: '. Write nothing else.",
    parse,
    write,
    independent=True,
)
