"""Captions for contrast: what a scene shows, in the few words a dual encoder is taught with."""

from __future__ import annotations

import numpy as np

from vistune.world.scene import Scene, SceneObject

# Openings vary so that the encoder meets the templates prompt learning starts from.
OPENINGS = ("", "a photo of ", "a picture of ", "an image of ", "this is ")


def phrase(thing: SceneObject) -> str:
    """`a large red seven`, `a small blue circle`, `a large green word cat`."""
    noun = f"word {thing.name}" if thing.kind == "word" else thing.name
    return f"a {thing.size} {thing.colour} {noun}"


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """All objects of a scene in random order behind a random opening."""
    order = rng.permutation(len(scene.objects))
    return OPENINGS[rng.integers(len(OPENINGS))] + " and ".join(phrase(scene.objects[index]) for index in order)
