"""Referring expression generation: from a box to an expression that fits the object in it and no other."""

from __future__ import annotations

import numpy as np

from vistune.sample import Region, Text
from vistune.world.exchange import Exchange
from vistune.world.expressions import expressions
from vistune.world.scene import Scene

_QUESTIONS = (
    ("What is in the box ", "?"),
    ("Which object does ", " enclose?"),
    ("Name what lies inside ", "."),
    ("Refer to the object at ", " so that it cannot be mistaken."),
)


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Answered with colour and name, with the size where those do not suffice; every other fitting expression is accepted."""
    index = int(rng.random() * len(scene.objects))
    target = scene.objects[index]
    found = {expression.text: expression for expression in expressions(scene, target)}
    for wanted in ({"colour", "name", "kind"}, {"size", "colour", "name", "kind"}):
        answer = next((text for text, expression in found.items() if expression.uses == wanted), None)
        if answer is not None:
            before, after = _QUESTIONS[int(rng.random() * len(_QUESTIONS))]
            others = tuple(text for text in found if text != answer)
            question = (Text(before), Region(box=target.box), Text(after))
            return Exchange(question, (Text(answer),), (answer, *others), f"describe {index}")
    return None
