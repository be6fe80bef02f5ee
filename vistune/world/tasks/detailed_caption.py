"""A detailed caption: how many objects, on what, and each with its size, colour and place."""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import NUMBERS, indefinite, phrase
from vistune.world.scene import Scene, SceneObject

_QUESTIONS = (
    "Describe the picture in detail.",
    "Give a thorough description of everything in the picture and where it is.",
    "What is in the image, and where? Describe it fully.",
    "Explain the contents of this picture at length.",
)


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Objects from top to bottom, each in one of the nine fields of the picture."""
    number = len(scene.objects)
    start = f"There {'is one object' if number == 1 else f'are {NUMBERS[number]} objects'}"
    sentences = [f"{start} on a {'dark' if scene.dark else 'light'} background."]
    for thing in sorted(scene.objects, key=lambda thing: thing.centre[1]):
        sentences.append(f"{indefinite(phrase(thing, size=True)).capitalize()} is {field(thing)}.")
    return Exchange.words(choose(_QUESTIONS, rng), " ".join(sentences), "detailed caption")


def field(thing: SceneObject) -> str:
    """`in the top left`, ..., `in the middle`: the ninth of the picture that holds the object's centre."""
    x, y = thing.centre
    column = ("left", "", "right")[min(int(3 * x), 2)]
    row = ("top", "", "bottom")[min(int(3 * y), 2)]
    if not row and not column:
        return "in the middle"
    if row and column:
        return f"in the {row} {column}"
    return f"at the {row}" if row else f"on the {column}"
