"""What is the one thing in the picture?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.scene import Scene

_QUESTIONS = (
    "What does the picture show?",
    "Name the object in this picture.",
    "What is this?",
    "Which single object can be seen here?",
)


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Asked of pictures of one object; answered with its bare name (a digit's, a shape's, or the word that is written)."""
    if len(scene.objects) != 1:
        return None
    return Exchange.words(choose(_QUESTIONS, rng), scene.objects[0].name, "classification")
