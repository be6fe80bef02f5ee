"""A short caption: everything in the picture, from left to right."""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import indefinite, listing, phrase
from vistune.world.scene import Scene, SceneObject

_QUESTIONS = (
    "Describe the picture briefly.",
    "Give a short caption for this picture.",
    "What can be seen, in one phrase?",
    "Caption the image.",
    "List what is in the picture.",
)


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """The accepted answers are five reference captions: by place, by size, with the objects' number and with their sizes."""
    across = sorted(scene.objects, key=lambda thing: thing.centre[0])
    down = sorted(scene.objects, key=lambda thing: thing.centre[1])
    references = (
        caption(across),
        caption(down),
        f"a picture of {caption(across)}",
        caption(across, size=True),
        f"{caption(across)} on a {'dark' if scene.dark else 'light'} background",
    )
    return Exchange.words(choose(_QUESTIONS, rng), references[0], "caption", *references[1:])


def caption(things: list[SceneObject], size: bool = False) -> str:
    """`a red seven, a blue circle and a green word "owl"`, in the order given."""
    return listing([indefinite(phrase(thing, size)) for thing in things])
