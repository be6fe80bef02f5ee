"""How many things are there at the beginning, or at the end?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import NUMBERS
from vistune.world.films.film import Film

_QUESTIONS = {
    "first": (
        "How many objects are there at the beginning?",
        "How many objects does the first frame show?",
        "Count the objects that are there from the start.",
    ),
    "last": (
        "How many objects are there at the end?",
        "How many objects does the last frame show?",
        "Count the objects that are there when the film ends.",
    ),
}


def ask(film: Film, rng: np.random.Generator) -> Exchange | None:
    """Only of films in which the two numbers differ, so that the order of the frames is what answers."""
    first = sum(thing.boxes[0] is not None for thing in film.objects)
    last = sum(thing.boxes[-1] is not None for thing in film.objects)
    if first == last:
        return None
    when = "first" if rng.random() < 0.5 else "last"
    return Exchange.words(choose(_QUESTIONS[when], rng), NUMBERS[first if when == "first" else last], f"film count {when}")
