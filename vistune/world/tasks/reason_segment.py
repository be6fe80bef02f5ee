"""Reasoning segmentation (LISA, Lai et al. 2024): the object has to be inferred before it can be marked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vistune.sample import Region, Text
from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import NUMBERS, digit_value
from vistune.world.scene import Scene, SceneObject
from vistune.world.tasks.segment import QUESTIONS

_SHAPES = {
    "circle": ("the shape without corners or a hole", "the filled round shape"),
    "square": ("the shape with four equal sides", "the shape with four right angles"),
    "triangle": ("the shape with three sides", "the shape that looks like a roof"),
    "cross": ("the shape that looks like a plus sign", "the sign for adding"),
    "star": ("the shape with five points", "the shape one wishes upon at night"),
    "ring": ("the shape with a hole", "the shape one could wear on a finger"),
}
_WORDS = {
    "the word that names an animal": ("cat", "dog", "fox", "wolf", "bird", "owl", "fish"),
    "the word for something seen in the sky": ("sun", "moon"),
    "the word for something that carries passengers": ("boat", "ship", "van"),
    "the word for something to drink or pour from": ("cup", "jug"),
    "the word for something that opens a lock": ("key",),
    "the word for something that gives light indoors": ("lamp",),
    "the word for something to write with": ("pen",),
    "the word for something worn on the head": ("hat",),
    "the word for something laid by hens": ("egg",),
    "the word for something that rings": ("bell",),
}


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Asked about any object that exactly one description singles out; answered with its mask."""
    found = list(_descriptions(scene, rng))
    if not found:
        return None
    description, target = found[int(rng.random() * len(found))]
    mask = Region(mask=target.mask, label=description)
    question = choose(QUESTIONS, rng).format(it=description)
    return Exchange((Text(question),), (Text("It is "), mask, Text(".")), (), f"reason {scene.objects.index(target)}")


def _descriptions(scene: Scene, rng: np.random.Generator) -> Iterator[tuple[str, SceneObject]]:
    digits = sorted((thing for thing in scene.objects if thing.kind == "digit"), key=digit_value)
    if len(digits) > 1 and digits[-1].name != digits[-2].name:
        yield "the digit of the highest value", digits[-1]
    if len(digits) > 1 and digits[0].name != digits[1].name:
        yield "the digit of the lowest value", digits[0]
    for thing in scene.objects:
        if thing.kind == "word":
            for description, members in _WORDS.items():
                if [other for other in scene.objects if other.kind == "word" and other.name in members] == [thing]:
                    yield description, thing
        elif sum(other.name == thing.name for other in scene.objects) == 1:
            if thing.kind == "shape":
                yield choose(_SHAPES[thing.name], rng), thing
            else:
                part = int(rng.random() * (digit_value(thing) + 1))
                yield f"the digit that {NUMBERS[part]} plus {NUMBERS[digit_value(thing) - part]} makes", thing
