"""The sum of two digits of the picture, as a number word."""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import NUMBERS, digit_value, expressions
from vistune.world.scene import Scene

_BOTH = (
    "What is the sum of the two digits?",
    "Add the two digits in the picture.",
    "What do the two digits make together?",
)
_NAMED = (
    "What is the {a} digit plus the {b} digit?",
    "Add the {a} digit and the {b} digit.",
    "What do the {a} digit and the {b} digit make together?",
)


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Of the only two digits, or of two that their colours tell apart."""
    digits = [thing for thing in scene.objects if thing.kind == "digit"]
    if len(digits) < 2:
        return None
    if len(digits) == 2 and rng.random() < 0.5:
        question = choose(_BOTH, rng)
    else:
        digits = [thing for thing in digits if any(found.uses == {"colour", "kind"} for found in expressions(scene, thing))]
        if len(digits) < 2:
            return None
        digits = [digits[int(index)] for index in rng.permutation(len(digits))[:2]]
        question = choose(_NAMED, rng).format(a=digits[0].colour, b=digits[1].colour)
    topic = "arithmetic " + " ".join(sorted(str(scene.objects.index(thing)) for thing in digits))
    return Exchange.words(question, NUMBERS[digit_value(digits[0]) + digit_value(digits[1])], topic)
