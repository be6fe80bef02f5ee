"""Requests that name no thing, answered with the things that fulfil them, and what is known about what a picture shows."""

from __future__ import annotations

from collections.abc import Callable

from vistune.construction.offline.asked import Asked, Rule, pairs
from vistune.construction.parsers.base import Item
from vistune.world.expressions import digit_value, listing, phrase
from vistune.world.scene import SceneObject

_CORNERS = {"circle": 0, "ring": 0, "triangle": 3, "square": 4, "star": 10, "cross": 12}


def _digit(thing: SceneObject) -> bool:
    return thing.kind == "digit"


def _corners(thing: SceneObject) -> int | None:
    return _CORNERS[thing.name] if thing.kind == "shape" else None


_WISHES: tuple[tuple[str, str, Callable[[SceneObject], bool]], ...] = (
    ("I want an even number, what can I take?", "stand for even numbers", lambda it: _digit(it) and digit_value(it) % 2 == 0),
    ("I want an odd number, what can I take?", "stand for odd numbers", lambda it: _digit(it) and digit_value(it) % 2 == 1),
    ("What here counts more than five?", "stand for more than five", lambda it: _digit(it) and digit_value(it) > 5),
    ("What could roll like a wheel?", "are round", lambda it: _corners(it) == 0),
    ("I need something with corners.", "have corners", lambda it: bool(_corners(it))),
    ("What has the colour of a clear sky?", "are blue", lambda it: it.kind != "word" and it.colour == "blue"),
)


def wishes(asked: Asked) -> list[Item]:
    """Up to six requests that something in the picture serves; the answer names all of it."""
    spoken = []
    for request, reason, serves in _WISHES:
        names = list(dict.fromkeys(phrase(thing) for thing in asked.scene.objects if serves(thing)))
        if names:
            thought = f"Such things {reason}, and in the picture there is the {listing(names)}."
            spoken.append((request, f"{thought} Therefore the answer is [{', '.join(names)}]"))
    return pairs(spoken)


def knowledge_of(thing: SceneObject) -> str:
    """A true sentence about a thing's kind that no picture shows."""
    if thing.kind == "digit":
        return f"The number {thing.name} is {'odd' if digit_value(thing) % 2 else 'even'}."
    if thing.kind == "shape":
        return f"A {thing.name} has {_CORNERS[thing.name] or 'no'} corners."
    return f'The word "{thing.name}" has {len(thing.name)} letters.'


def background(asked: Asked) -> list[Item]:
    """A question for such knowledge about each thing, named by what can be seen of it."""
    spoken = {}
    for thing in asked.scene.objects:
        asks = {"digit": "Is the number {it} even or odd?", "shape": "How many corners has a {it}?"}
        question = asks.get(thing.kind, 'How many letters has the word "{it}"?').format(it=thing.name)
        spoken[question] = f"There is one here, the {phrase(thing)}. {knowledge_of(thing)}"
    return pairs(list(spoken.items())[: asked.turns])


RULES: dict[str, Rule] = {"wishes": wishes, "background": background}
