"""How many are there: of all objects, of a kind, of a colour? Answered with a number word."""

from __future__ import annotations

import numpy as np

from vistune.world import palette
from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import NUMBERS, PLURALS
from vistune.world.scene import KINDS, Scene

_QUESTIONS = (
    "How many {things} are there?",
    "How many {things} does the picture show?",
    "Count the {things}.",
    "What is the number of {things}?",
    "How many {things} can you see?",
)
_ALL_SHARE = 0.4
_WEIGHTS = (1, 1, 3, 9, 12, 15, 15)  # of the numbers from zero: high ones are rare among the parts of a scene


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """The number is chosen before the question, among those that occur, so that no number is the answer to most."""
    if rng.random() < _ALL_SHARE:
        return _exchange("objects", len(scene.objects), rng)
    counts = {PLURALS[kind]: sum(thing.kind == kind for thing in scene.objects) for kind in KINDS}
    counts |= {f"{colour} objects": sum(thing.colour == colour for thing in scene.objects) for colour in palette.NAMES}
    numbers = sorted(set(counts.values()))
    weights = np.cumsum([_WEIGHTS[number] for number in numbers])
    number = numbers[int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))]
    return _exchange(choose(tuple(things for things, count in counts.items() if count == number), rng), number, rng)


def _exchange(things: str, number: int, rng: np.random.Generator) -> Exchange:
    return Exchange.words(choose(_QUESTIONS, rng).format(things=things), NUMBERS[number], f"count {things}")
