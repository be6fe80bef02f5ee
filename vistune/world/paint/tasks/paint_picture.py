"""Make a picture of this."""

from __future__ import annotations

import numpy as np

from vistune.sample import Produce, Text
from vistune.world.exchange import Exchange, choose
from vistune.world.paint.painting import Painting
from vistune.world.tasks.caption import caption

_QUESTIONS = (
    "Paint {it}.",
    "Draw a picture of {it}.",
    "Make an image that shows {it}.",
    "Generate {it}.",
)


def ask(painting: Painting, rng: np.random.Generator) -> Exchange | None:
    """Everything in it, from left to right; half of the requests say the sizes, too."""
    across = sorted(painting.scene.objects, key=lambda thing: thing.centre[0])
    wanted = caption(across, size=rng.random() < 0.5)
    return Exchange((Text(choose(_QUESTIONS, rng).format(it=wanted)),), (Produce(0),), (), "paint picture")
