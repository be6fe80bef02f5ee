"""A wish that needs no tool."""

from __future__ import annotations

import numpy as np

from vistune.world.errands.errand import Errand
from vistune.world.exchange import Exchange
from vistune.world.expressions import NUMBERS

_PLEASANTRIES = (
    ("Hello!", "Hello."),
    ("Good morning.", "Good morning."),
    ("Thank you.", "You are welcome."),
    ("Thanks, that is all.", "You are welcome."),
    ("Who are you?", "A model that uses tools to look at pictures."),
    ("Can you see the picture?", "No. Tools look at it for me."),
)


def ask(subject: Errand, rng: np.random.Generator) -> Exchange | None:
    """A pleasantry, or a sum."""
    if rng.random() < 0.5:
        said, told = _PLEASANTRIES[int(rng.integers(len(_PLEASANTRIES)))]
    else:
        one, two = int(rng.integers(10)), int(rng.integers(9))
        said, told = f"What is {NUMBERS[one]} plus {NUMBERS[two]}?", NUMBERS[one + two]
    first = subject.question.partition("\n")[0]
    return Exchange.words(f"{first}\n{said}", f"Thought: Do I need to use a tool? No\nAI: {told}", "no tool")
