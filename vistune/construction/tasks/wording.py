"""How a task is worded: five instructions from two sentences, and the options under them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from vistune.construction.boxes import Notation
from vistune.construction.record import Record
from vistune.sample import Box

_BOX = Notation("unit")
YES_NO = ("yes", "no")


def five(first: str, second: str) -> tuple[str, str, str, str, str]:
    """Five instructions: either sentence alone, and with a word before or after it."""
    return (
        first,
        second,
        f"Look at the picture. {first}",
        f"Here is a task about the picture. {second}",
        f"{first} Think first.",
    )


def optional(first: str, second: str) -> tuple[str, ...]:
    """The same with the options behind them, as the released data writes them."""
    return tuple(f"{text}\n[Options]: {{options}}" for text in five(first, second))


def draw_of(record: Record, task: str) -> random.Random:
    """A task's own draws about a record."""
    return random.Random(f"{task}:{record.id}")


def shuffled(options: Sequence[str], draw: random.Random) -> str:
    """The options in any order, divided as the released data divides them."""
    return "||||".join(draw.sample(list(options), len(options)))


def box(of: Box) -> str:
    """A box as text, which `ground` makes a region."""
    return _BOX.write(of)
