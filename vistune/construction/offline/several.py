"""Dialogues about several pictures: named by number (Sparkles), or shown by either side (TextBind)."""

from __future__ import annotations

from vistune.construction.offline.asked import Asked, Rule, sentence
from vistune.construction.offline.subjects import scenes_of
from vistune.construction.parsers.base import Item
from vistune.world.expressions import NUMBERS, indefinite, listing, phrase
from vistune.world.scene import Scene

_FEW = 4  # candidates; of so few, dialogues begin with two pictures or three, of more with one to three


def gallery(asked: Asked) -> list[Item]:
    """What some pictures show, then which of one of them and a further one shows more things."""
    scenes = scenes_of(asked.record)
    order = [int(number) for number in asked.rng().permutation(len(scenes))]
    made = []
    for first in range(2 if len(scenes) <= _FEW else 1, 4):
        if first >= len(scenes):
            continue
        shown, added = order[:first], order[first]
        names = [f"IMAGE#{number + 1}" for number in shown]
        told = [f"{name} shows {_contents(scenes[number])}" for name, number in zip(names, shown, strict=True)]
        other = f"IMAGE#{added + 1}"
        images = (tuple(str(number + 1) for number in shown), (str(added + 1),))
        made.append(
            Item.of(
                (f"What do you see in {listing(names)}?", sentence("; ".join(told))),
                (
                    f"Are there more things in {other} than in {names[0]}?",
                    _compared(other, scenes[added], names[0], scenes[shown[0]]),
                ),
                images=images,
            )
        )
    return made


def album(asked: Asked) -> list[Item]:
    """A picture shown and asked about, another put beside it, and both compared."""
    scenes = scenes_of(asked.record)
    a, b = (int(number) for number in asked.rng().permutation(len(scenes))[:2])
    counts = len(scenes[a].objects), len(scenes[b].objects)
    return [
        Item.of(
            (f"How many things are in this picture? <img{a}>", f"{_count(counts[0])} Put this one beside it. <img{b}>"),
            ("Does the second show more than the first?", _compared("the second", scenes[b], "the first", scenes[a])),
            ("And what was in the one that you showed me?", sentence(_contents(scenes[b]))),
        )
    ]


def _contents(scene: Scene) -> str:
    across = sorted(scene.objects, key=lambda thing: thing.centre[0])
    return listing([indefinite(phrase(thing)) for thing in across])


def _count(number: int) -> str:
    return "There is one thing." if number == 1 else f"There are {NUMBERS[number]} things."


def _compared(a: str, one: Scene, b: str, other: Scene) -> str:
    """Does `a` show more things than `b`? Both are the pictures' names inside a sentence."""
    first, second = len(one.objects), len(other.objects)
    if first == second:
        return f"No, {a} and {b} show {NUMBERS[first]} each."
    return f"{'Yes' if first > second else 'No'}, {a} shows {NUMBERS[first]} and {b} {NUMBERS[second]}."


RULES: dict[str, Rule] = {"gallery": gallery, "album": album}
