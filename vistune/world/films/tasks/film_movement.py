"""In which direction does it move?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.films.film import Film
from vistune.world.films.phrases import refer

_QUESTIONS = (
    "In which direction does {it} move: left, right, up or down?",
    "Where does {it} go: left, right, up or down?",
    "{it} moves. Which way: left, right, up or down?",
)


def ask(film: Film, rng: np.random.Generator) -> Exchange | None:
    """Of anything that moves; the four directions are equally likely, and a frame alone does not tell them apart."""
    moving = [thing for thing in film.objects if thing.action == "move"]
    if not moving:
        return None
    thing = moving[int(rng.integers(len(moving)))]
    name = refer(film, thing, rng)
    if name is None:
        return None
    assert thing.direction is not None
    question = choose(_QUESTIONS, rng).format(it=name)
    return Exchange.words(question[0].upper() + question[1:], thing.direction, f"film movement {film.objects.index(thing)}")
