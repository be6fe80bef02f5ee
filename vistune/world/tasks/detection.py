"""Detection: the boxes of everything of a kind, of a colour or of a name, from left to right."""

from __future__ import annotations

import numpy as np

from vistune.sample import Part, Region, Text
from vistune.world.exchange import Exchange, choose
from vistune.world.scene import Scene, SceneObject

_QUESTIONS = ("Box every {it}.", "Detect each {it}.", "Give the boxes of every {it}.", "Where is each {it}? Answer with boxes.")


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """A class that some object of the scene belongs to; answered with boxes only, each labelled with the class."""
    model = scene.objects[int(rng.random() * len(scene.objects))]
    classes = (model.kind, f"{model.colour} object", model.name if model.kind == "shape" else f"{model.colour} {model.kind}")
    wanted = choose(classes, rng)
    members = sorted((thing for thing in scene.objects if belongs(thing, wanted)), key=lambda thing: thing.centre[0])
    parts: list[Part] = []
    for thing in members:
        parts += [Text(", ")] * bool(parts) + [Region(box=thing.box, label=wanted)]
    return Exchange((Text(choose(_QUESTIONS, rng).format(it=wanted)),), tuple(parts), (), f"detection {wanted}")


def belongs(thing: SceneObject, wanted: str) -> bool:
    """Is the object a `wanted`: a kind, a shape's name, `red object` or `red digit`?"""
    colour, _, noun = wanted.rpartition(" ")
    return (not colour or thing.colour == colour) and noun in ("object", thing.kind, thing.name)
