"""A scene as a sheet of facts: `seven red small, objects three, blue circle yes, ...`.

Nearly every word of a fact follows from the words before it and the picture: of an object one attribute is said first and
others come after, in any order. In a conversation one answer in fifteen words does. The sheet is where a language model learns
quickly to find by a name, by a colour or by a place, to count and to miss what is not there; conversations then teach it how
people ask.
"""

from __future__ import annotations

import numpy as np

from vistune.sample import Media, MediaRef, Part, Region, Sample, Text, Turn
from vistune.world import palette
from vistune.world.digits import Split
from vistune.world.exchange import choose
from vistune.world.expressions import NUMBERS, PLURALS
from vistune.world.scene import KINDS, NAMES, Scene, SceneObject, make_scene
from vistune.world.tasks.detailed_caption import field
from vistune.world.tasks.spatial import direction

REQUEST = "\nList facts."
FACTS = 14
_SHARES = (0.55, 0.15, 0.2, 0.1)  # of attributes, numbers, presence, directions
_FIRST = ("name", "name", "colour", "colour", "field", "box")


def fact_sample(seed: int, split: Split, facts: int = FACTS) -> Sample:
    """`facts` facts about scene `seed`, every object's turn coming equally often."""
    scene, rng = make_scene(seed, split), np.random.default_rng([seed, len(split), len(REQUEST)])
    order = np.concatenate([rng.permutation(len(scene.objects)) for _ in range(-(-facts // len(scene.objects)))])
    parts: list[Part] = []
    for index in order[:facts].tolist():
        kind = int(np.searchsorted(np.cumsum(_SHARES), rng.random(), side="right"))
        parts += [*_FACTS[min(kind, len(_FACTS) - 1)](scene, scene.objects[index], rng), Text(",")]
    return Sample(
        id=f"world-{split}-facts-{seed}",
        media=(Media("image", data=scene.image),),
        turns=(Turn("user", (MediaRef(0), Text(REQUEST))), Turn("assistant", tuple(parts))),
        meta={"dataset": "world", "task": "facts", "split": split, "seed": seed, "scenes": [seed]},
    )


def _attributes(scene: Scene, thing: SceneObject, rng: np.random.Generator) -> list[Part]:
    """`seven red bottom left`: one to three attributes behind the one the object is found by."""
    said: dict[str, list[Part]] = {
        "name": [Text(f" {thing.name}")],
        "colour": [Text(f" {thing.colour}")],
        "kind": [Text(f" {thing.kind}")],
        "size": [Text(f" {thing.size}")],
        "field": [Text(f" {field(thing).split('the ')[1]}")],
        "box": [Text(" "), Region(box=thing.box)],
    }
    first = choose(_FIRST, rng)
    rest = [name for name in rng.permutation(sorted(said)).tolist() if name != first]
    return [part for name in (first, *rest[: int(rng.integers(1, 4))]) for part in said[name]]


def _number(scene: Scene, thing: SceneObject, rng: np.random.Generator) -> list[Part]:
    """`objects four`, `digits two`, `red objects one`, none of these too rarely."""
    match int(rng.integers(3)):
        case 0:
            what, count = "objects", len(scene.objects)
        case 1:
            kind = KINDS[int(rng.integers(len(KINDS)))]
            what, count = PLURALS[kind], sum(other.kind == kind for other in scene.objects)
        case _:
            colour = thing.colour if rng.random() < 0.6 else choose(palette.NAMES, rng)
            what, count = f"{colour} objects", sum(other.colour == colour for other in scene.objects)
    return [Text(f" {what} {NUMBERS[count]}")]


def _presence(scene: Scene, thing: SceneObject, rng: np.random.Generator) -> list[Part]:
    """`seven yes`, `purple seven no`: as often there as not, by name or by colour and name."""
    present, coloured = rng.random() < 0.5, rng.random() < 0.6
    known = {_called(other, coloured) for other in scene.objects}
    called = _called(thing, coloured)
    while not present and called in known:
        colour = choose(palette.NAMES, rng) if rng.random() < 0.5 else thing.colour
        name = thing.name if coloured and rng.random() < 0.5 else choose(NAMES[thing.kind], rng)
        called = f"{colour} {name}" if coloured else name
    return [Text(f" {called} {'yes' if present else 'no'}")]


def _called(thing: SceneObject, coloured: bool) -> str:
    return f"{thing.colour} {thing.name}" if coloured else thing.name


def _direction(scene: Scene, thing: SceneObject, rng: np.random.Generator) -> list[Part]:
    """`red seven blue circle left`: where the first lies as seen from the second; an attribute where that is unclear."""
    other = scene.objects[int(rng.integers(len(scene.objects)))]
    side = direction(thing, other)
    if side is None:
        return _attributes(scene, thing, rng)
    coloured = rng.random() < 0.5
    return [Text(f" {_called(thing, coloured)} {_called(other, coloured)} {side}")]


_FACTS = (_attributes, _number, _presence, _direction)
