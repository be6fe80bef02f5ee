"""Which digit is it? The question gives the object's colour, size or place, never its name."""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import refer
from vistune.world.scene import Scene, SceneObject

_ABOUT = (
    "What digit is {it}?",
    "Which number does {it} show?",
    "Read {it}: which digit is written?",
    "Which digit is {it}?",
    "Say which digit {it} is.",
)
_ONLY = ("What digit is shown?", "Which digit is in the picture?", "What number is written here?", "Which digit can you read?")


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Any digit that can be told from the rest by something other than its name."""
    digits = [thing for thing in scene.objects if thing.kind == "digit"]
    if not digits:
        return None
    return about(scene, digits[int(rng.random() * len(digits))], rng)


def about(scene: Scene, target: SceneObject, rng: np.random.Generator) -> Exchange | None:
    """The same of a given digit."""
    expression = refer(scene, target, rng, avoid=frozenset({"name"}))
    if expression is None:
        return None
    question = choose(_ONLY if expression.uses == {"kind"} else _ABOUT, rng).format(it=expression.text)
    return Exchange.words(question, target.name, f"identity {scene.objects.index(target)}")
