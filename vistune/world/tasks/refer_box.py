"""Referring expression comprehension: from an expression to the box of the one object it fits."""

from __future__ import annotations

import numpy as np

from vistune.sample import Region, Text
from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import refer
from vistune.world.scene import Scene

_QUESTIONS = (
    "Where is {it}? Answer with a box.",
    "Give the box of {it}.",
    "Find {it} and return its box.",
    "Which box encloses {it}?",
)


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Answered with a box alone."""
    index = int(rng.random() * len(scene.objects))
    expression = refer(scene, scene.objects[index], rng)
    if expression is None:
        return None
    question = choose(_QUESTIONS, rng).format(it=expression.text)
    box = Region(box=scene.objects[index].box, label=expression.text)
    return Exchange((Text(question),), (box,), (), f"refer {index}")
