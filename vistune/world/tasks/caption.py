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
    """The first reference caption is the answer, all five are accepted."""
    first, *others = references(scene)
    return Exchange.words(choose(_QUESTIONS, rng), first, "caption", *others)


def references(scene: Scene) -> tuple[str, ...]:
    """Five captions: from left to right, from top to bottom, and the first with an opening, with sizes, with the background."""
    across = sorted(scene.objects, key=lambda thing: thing.centre[0])
    down = sorted(scene.objects, key=lambda thing: thing.centre[1])
    return (
        caption(across),
        caption(down),
        f"a picture of {caption(across)}",
        caption(across, size=True),
        f"{caption(across)} on a {'dark' if scene.dark else 'light'} background",
    )


def caption(things: list[SceneObject], size: bool = False) -> str:
    """`a red seven, a blue circle and a green word "owl"`, in the order given."""
    return listing([indefinite(phrase(thing, size)) for thing in things])
