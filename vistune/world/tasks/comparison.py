"""Which of two: the digit of higher value, or the object drawn larger?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import digit_value, expressions, noun
from vistune.world.scene import Scene, SceneObject

_HIGHER = (
    "Which digit has the higher value, the {a} one or the {b} one?",
    "Which number is greater, the {a} one or the {b} one?",
    "Compare the {a} digit with the {b} digit: which stands for more?",
)
_LOWER = (
    "Which digit has the lower value, the {a} one or the {b} one?",
    "Which number is less, the {a} one or the {b} one?",
    "Compare the {a} digit with the {b} digit: which stands for less?",
)
_LARGER = (
    "Which is drawn larger, the {a} or the {b}?",
    "Which takes up more room, the {a} or the {b}?",
    "Between the {a} and the {b}, which one is bigger in the picture?",
)


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Values are asked by colour and answered with a colour; sizes are asked by name and answered with a name."""
    by_value = rng.random() < 0.6
    pairs = [
        (i, j)
        for i, a in enumerate(scene.objects)
        for j, b in enumerate(scene.objects)
        if i != j and (_values_differ(scene, a, b) if by_value else _sizes_differ(scene, a, b))
    ]
    if not pairs:
        return None
    i, j = pairs[int(rng.random() * len(pairs))]
    a, b = scene.objects[i], scene.objects[j]
    if not by_value:
        question = choose(_LARGER, rng).format(a=noun(a), b=noun(b))
        return Exchange.words(question, noun(a if a.size == "large" else b), f"comparison {i} {j}")
    higher = rng.random() < 0.5
    answer = a if (digit_value(a) > digit_value(b)) == higher else b
    question = choose(_HIGHER if higher else _LOWER, rng).format(a=a.colour, b=b.colour)
    return Exchange.words(question, answer.colour, f"comparison {min(i, j)} {max(i, j)}")


def _values_differ(scene: Scene, a: SceneObject, b: SceneObject) -> bool:
    if a.kind != "digit" or b.kind != "digit" or a.name == b.name:
        return False
    return all(any(found.uses == {"colour", "kind"} for found in expressions(scene, thing)) for thing in (a, b))


def _sizes_differ(scene: Scene, a: SceneObject, b: SceneObject) -> bool:
    if a.kind != b.kind or a.kind == "word" or a.size == b.size:
        return False
    return all(sum(other.name == thing.name for other in scene.objects) == 1 for thing in (a, b))
