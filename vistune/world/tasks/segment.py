"""Referring segmentation: from an expression to the mask of the one object it fits."""

from __future__ import annotations

import numpy as np

from vistune.sample import Region, Text
from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import refer
from vistune.world.scene import Scene

QUESTIONS = (
    "Segment {it}.",
    "Mark the pixels of {it}.",
    "Give the mask of {it}.",
    "Which pixels belong to {it}? Answer with a mask.",
)


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Answered with a mask at the picture's size."""
    index = int(rng.random() * len(scene.objects))
    expression = refer(scene, scene.objects[index], rng)
    if expression is None:
        return None
    mask = Region(mask=scene.objects[index].mask, label=expression.text)
    question = choose(QUESTIONS, rng).format(it=expression.text)
    return Exchange((Text(question),), (Text("It is "), mask, Text(".")), (), f"segment {index}")
