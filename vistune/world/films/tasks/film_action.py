"""What does it do: move, appear, disappear, change or stay?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.films.film import Film
from vistune.world.films.phrases import refer

_QUESTIONS = (
    "What does {it} do: move, appear, disappear, change its colour or stay?",
    "What happens with {it}: does it move, appear, disappear, change its colour or stay?",
    "Does {it} move, appear, disappear, change its colour or stay?",
)


# How often a thing that does this is asked about, so that all five answers are about as frequent.
_ACCEPTED = {"move": 0.26, "appear": 0.77, "disappear": 1.0, "change": 0.56, "stay": 0.54}


def ask(film: Film, rng: np.random.Generator) -> Exchange | None:
    """Of any thing."""
    thing = film.objects[int(rng.integers(len(film.objects)))]
    name = refer(film, thing, rng)
    if name is None or rng.random() > _ACCEPTED[thing.action]:
        return None
    return Exchange.words(choose(_QUESTIONS, rng).format(it=name), thing.action, f"film action {film.objects.index(thing)}")
