"""A scene as a sheet of facts: `seven red small, objects three, blue circle yes, ...`.

Nearly every word of a fact follows from the words before it and the picture: of an object one attribute is said first, or an
expression that fits it alone, and others come after in any order. In a conversation one answer in fifteen words does. The
sheet is where a language model learns quickly to find by a name, by a colour or by a place, to count, to compare and to miss
what is not there; conversations then teach it how people ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from vistune.sample import Part, Region, Text
from vistune.world import palette
from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import NUMBERS, PLURALS, digit_value, refer
from vistune.world.scene import KINDS, NAMES, Scene, SceneObject
from vistune.world.tasks.detailed_caption import field
from vistune.world.tasks.spatial import direction

FACTS = 14
_QUESTIONS = ("List facts.", "Give facts about the picture.", "What holds of this picture? Keep it terse.")
_CALLED = ((True, False), (False, True), (True, True), (True, True))  # by colour? by name?
_FIRST = ("name", "name", "colour", "colour", "field", "box")


def ask(scene: Scene, rng: np.random.Generator) -> Exchange:
    """`FACTS` facts, every object's turn coming equally often."""
    order = np.concatenate([rng.permutation(len(scene.objects)) for _ in range(-(-FACTS // len(scene.objects)))])
    parts: list[Part] = []
    for index in order[:FACTS].tolist():
        thing, found = scene.objects[index], None
        while found is None:
            found = _FACTS[int(np.searchsorted(_BOUNDS, rng.random(), side="right"))](scene, thing, rng)
        parts += [*found, Text(",")]
    answer = tuple(_joined(parts))
    words = answer[0].text if len(answer) == 1 and isinstance(answer[0], Text) else None
    return Exchange((Text(choose(_QUESTIONS, rng)),), answer, () if words is None else (words,), "facts")


def _joined(parts: list[Part]) -> Iterator[Part]:
    """Neighbouring words as one text, without the first space and the last comma."""
    for is_text, group in groupby(parts, key=lambda part: isinstance(part, Text)):
        run = list(group)
        if not is_text:
            yield from run
            continue
        text = "".join(part.text for part in run if isinstance(part, Text))
        text = text.removeprefix(" ") if run[0] is parts[0] else text
        yield Text(text.removesuffix(",") if run[-1] is parts[-1] else text)


def _attributes(scene: Scene, thing: SceneObject, rng: np.random.Generator) -> list[Part]:
    """`seven red bottom left`: one to three attributes behind the one the object is found by."""
    said = _said(thing)
    first = choose(_FIRST, rng)
    return [*said.pop(first), *_some(said, rng)]


def _referred(scene: Scene, thing: SceneObject, rng: np.random.Generator) -> list[Part] | None:
    """`leftmost digit seven red`: attributes behind an expression that fits this object alone."""
    expression = refer(scene, thing, rng)
    if expression is None:
        return None
    said = {name: parts for name, parts in _said(thing).items() if name not in expression.uses}
    return [Text(expression.text.removeprefix("the")), *_some(said, rng)]


def _said(thing: SceneObject) -> dict[str, list[Part]]:
    return {
        "name": [Text(f" {thing.name}")],
        "colour": [Text(f" {thing.colour}")],
        "kind": [Text(f" {thing.kind}")],
        "size": [Text(f" {thing.size}")],
        "field": [Text(f" {field(thing).split('the ')[1]}")],
        "box": [Text(" "), Region(box=thing.box)],
    }


def _some(said: dict[str, list[Part]], rng: np.random.Generator) -> list[Part]:
    """One to three attributes, in any order."""
    return [part for name in rng.permutation(sorted(said))[: int(rng.integers(1, 4))].tolist() for part in said[name]]


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
    """`seven yes`, `purple seven no`, `green no`: as often there as not, by colour, by name or by both."""
    present, (coloured, named) = rng.random() < 0.5, _CALLED[int(rng.integers(len(_CALLED)))]
    known = {_called(other.colour, other.name, coloured, named) for other in scene.objects}
    called = _called(thing.colour, thing.name, coloured, named)
    while not present and called in known:
        half = coloured and named and rng.random() < 0.5  # the right colour or the right name
        colour = choose(palette.NAMES, rng) if not half or rng.random() < 0.5 else thing.colour
        name = thing.name if half and colour != thing.colour else choose(NAMES[thing.kind], rng)
        called = _called(colour, name, coloured, named)
    return [Text(f" {called} {'yes' if present else 'no'}")]


def _called(colour: str, name: str, coloured: bool, named: bool = True) -> str:
    return " ".join([colour] * coloured + [name] * named)


def _direction(scene: Scene, thing: SceneObject, rng: np.random.Generator) -> list[Part] | None:
    """`red seven blue circle left`: where the first lies as seen from the second."""
    other = scene.objects[int(rng.integers(len(scene.objects)))]
    side, coloured = direction(thing, other), rng.random() < 0.5
    first, second = (_called(one.colour, one.name, coloured) for one in (thing, other))
    return None if side is None else [Text(f" {first} {second} {side}")]


def _comparison(scene: Scene, thing: SceneObject, rng: np.random.Generator) -> list[Part] | None:
    """`higher red blue red`, `lower red blue blue`, `plus red blue nine`: of two digits, each the only one of its colour."""
    digits = [other for other in scene.objects if other.kind == "digit"]
    colours = [other.colour for other in digits]
    single = [other for other in digits if colours.count(other.colour) == 1]
    if len(single) < 2:
        return None
    first, second = (single[int(index)] for index in rng.permutation(len(single))[:2])
    low, high = sorted((first, second), key=digit_value)
    forms = {"plus": NUMBERS[digit_value(first) + digit_value(second)]}
    if low.name != high.name:
        forms |= {"higher": high.colour, "lower": low.colour}
    word = choose(tuple(forms), rng)
    return [Text(f" {word} {first.colour} {second.colour} {forms[word]}")]


_FACTS = (_attributes, _referred, _number, _presence, _direction, _comparison)
_BOUNDS = np.cumsum((0.2, 0.2, 0.12, 0.3, 0.1))  # the rest is the last
