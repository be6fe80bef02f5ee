"""What the existence tasks share: the question's wordings, yes and no in equal shares."""

from __future__ import annotations

import numpy as np

from vistune.world import palette
from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import indefinite
from vistune.world.scene import NAMES, Scene

_QUESTIONS = (
    "Is there {it} in the picture?",
    "Does the picture show {it}?",
    "Can you see {it}?",
    "Is {it} present in the image?",
    "Do you see {it} here?",
)


def exchange(what: str, present: bool, rng: np.random.Generator) -> Exchange:
    """Ask for `what` (without its article)."""
    question = choose(_QUESTIONS, rng).format(it=indefinite(what))
    return Exchange.words(question, "yes" if present else "no", f"existence {what}")


def digits_present(scene: Scene) -> tuple[list[str], list[str]]:
    """Names of the digits in the scene, and of those that are not."""
    present = {thing.name for thing in scene.objects if thing.kind == "digit"}
    return sorted(present), [name for name in NAMES["digit"] if name not in present]


def digit_colours(scene: Scene) -> tuple[list[str], list[str]]:
    """Colours that a digit of the scene has, and those that none has."""
    present = {thing.colour for thing in scene.objects if thing.kind == "digit"}
    return sorted(present), [colour for colour in palette.NAMES if colour not in present]
