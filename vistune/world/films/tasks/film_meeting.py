"""Do two things meet?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.films.film import Film
from vistune.world.films.phrases import refer

_QUESTIONS = (
    "Do {a} and {b} meet?",
    "Does it happen that {a} and {b} touch?",
    "At the end, do {a} and {b} stand side by side and touch?",
)


def ask(film: Film, rng: np.random.Generator) -> Exchange | None:
    """Only of films in which two of three things meet, with yes and no alike: the other pairs of the same film do not."""
    if len(film.objects) < 3 or film.objects[0].meets is None:
        return None
    yes = rng.random() < 0.5
    pair = (0, 1) if yes else (int(rng.integers(2)), 2)
    a, b = (refer(film, film.objects[index], rng) for index in (pair if rng.random() < 0.5 else pair[::-1]))
    if a is None or b is None:
        return None
    return Exchange.words(choose(_QUESTIONS, rng).format(a=a, b=b), "yes" if yes else "no", "film meeting")
