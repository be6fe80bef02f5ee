"""What colour is it?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import refer
from vistune.world.scene import Scene, SceneObject

_QUESTIONS = (
    "What colour is {it}?",
    "Which colour does {it} have?",
    "In what colour is {it} drawn?",
    "Name the colour of {it}.",
)


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Any object that can be told from the rest by something other than its colour."""
    return about(scene, scene.objects[int(rng.random() * len(scene.objects))], rng)


def about(scene: Scene, target: SceneObject, rng: np.random.Generator) -> Exchange | None:
    """The same of a given object."""
    expression = refer(scene, target, rng, avoid=frozenset({"colour"}))
    if expression is None:
        return None
    question = choose(_QUESTIONS, rng).format(it=expression.text)
    return Exchange.words(question, target.colour, f"colour {scene.objects.index(target)}")
