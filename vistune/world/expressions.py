"""Referring expressions: "the red seven", "the large circle", "the leftmost word", and which object each one means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from vistune.world import digits
from vistune.world.scene import Scene, SceneObject

Attribute: TypeAlias = Literal["size", "colour", "name", "kind", "place"]

NUMBERS = (
    *digits.NAMES,
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
)

PLURALS = {"digit": "digits", "shape": "shapes", "word": "words", "object": "objects"}

_CLEAR = 0.08  # of the picture: how far ahead the leftmost object must be to be called so


@dataclass(frozen=True, slots=True)
class Expression:
    """A phrase that fits exactly one object of its scene, and the attributes it gives away."""

    text: str
    uses: frozenset[Attribute]


def noun(thing: SceneObject) -> str:
    """`seven`, `circle`, `word "owl"`."""
    return f'word "{thing.name}"' if thing.kind == "word" else thing.name


def phrase(thing: SceneObject, size: bool = False) -> str:
    """`red seven`, or `small red seven`."""
    return f"{thing.size} {thing.colour} {noun(thing)}" if size else f"{thing.colour} {noun(thing)}"


def indefinite(words: str) -> str:
    """The words with their article: `a red seven`, `an eight`."""
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def listing(items: list[str]) -> str:
    """`a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def digit_value(thing: SceneObject) -> int:
    """The number a digit stands for."""
    return NUMBERS.index(thing.name)


def expressions(scene: Scene, target: SceneObject, avoid: frozenset[Attribute] = frozenset()) -> list[Expression]:
    """Every expression of our small grammar that fits `target` and nothing else in the scene, without the avoided attributes.

    Either `size? colour? (name | kind | "object")` or `leftmost | rightmost | topmost | lowest` with a kind or "object".
    """
    return [*_by_attributes(scene, target, avoid), *(() if "place" in avoid else _by_place(scene, target, avoid))]


def refer(
    scene: Scene, target: SceneObject, rng: np.random.Generator, avoid: frozenset[Attribute] = frozenset()
) -> Expression | None:
    """One of the target's expressions, or None when it has none."""
    found = expressions(scene, target, avoid)
    return found[int(rng.random() * len(found))] if found else None


def value(thing: SceneObject, attribute: Attribute) -> str:
    """What an object has for an attribute; its place is no attribute of its own."""
    match attribute:
        case "size":
            return thing.size
        case "colour":
            return thing.colour
        case "name":
            return thing.name
        case "kind":
            return thing.kind
        case "place":
            raise ValueError("a place is relative to the other objects")


_FORMS: tuple[frozenset[Attribute], ...] = tuple(
    frozenset(form)
    for form in (
        ("name", "kind"),
        ("kind",),
        ("colour",),
        ("colour", "kind"),
        ("colour", "name", "kind"),
        ("size", "kind"),  # sizes compare within a kind only: never "the large object"
        ("size", "name", "kind"),
        ("size", "colour", "kind"),
        ("size", "colour", "name", "kind"),
    )
)


def _by_attributes(scene: Scene, target: SceneObject, avoid: frozenset[Attribute]) -> Iterator[Expression]:
    # The attributes in which each other object differs from the target: a form tells them apart when it names one of these.
    differences = [
        {attribute for attribute in _COMPARED if value(thing, attribute) != value(target, attribute)}
        for thing in scene.objects
        if thing is not target
    ]
    for uses in _FORMS:
        if not uses & avoid and all(uses & difference for difference in differences):
            yield Expression(_text(target, uses), uses)


_COMPARED: tuple[Attribute, ...] = ("size", "colour", "name", "kind")


def _text(target: SceneObject, uses: frozenset[Attribute]) -> str:
    words = ["the"]
    if "size" in uses:
        words.append(target.size)
    if "colour" in uses:
        words.append(target.colour)
    words.append(noun(target) if "name" in uses else target.kind if "kind" in uses else "object")
    return " ".join(words)


_PLACES = (("leftmost", 0, 1), ("rightmost", 0, -1), ("topmost", 1, 1), ("lowest", 1, -1))


def _by_place(scene: Scene, target: SceneObject, avoid: frozenset[Attribute]) -> Iterator[Expression]:
    for of_kind in (True, False):
        if of_kind and "kind" in avoid:
            continue
        rivals = [thing for thing in scene.objects if thing is not target and (not of_kind or thing.kind == target.kind)]
        if not rivals:
            continue
        uses: frozenset[Attribute] = frozenset(("place", "kind") if of_kind else ("place",))
        for word, axis, sign in _PLACES:
            if all(sign * (rival.centre[axis] - target.centre[axis]) > _CLEAR for rival in rivals):
                yield Expression(f"the {word} {target.kind if of_kind else 'object'}", uses)
