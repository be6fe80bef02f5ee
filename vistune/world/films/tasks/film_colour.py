"""What colour has it before, or after, it changes?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.films.film import Film
from vistune.world.films.phrases import refer

_AFTER = (
    "What colour is {it} at the end?",
    "Which colour does {it} turn?",
    "{it} changes its colour. Which one does it have afterwards?",
)
_BEFORE = (
    "What colour is {it} at the beginning?",
    "Which colour did {it} have before it changed?",
    "{it} changes its colour. Which one does it have at first?",
)


def ask(film: Film, rng: np.random.Generator) -> Exchange | None:
    """Of something that changes, named without its colour: both colours are seen, and only time tells which is asked for."""
    changing = [thing for thing in film.objects if thing.action == "change"]
    if not changing:
        return None
    thing = changing[int(rng.integers(len(changing)))]
    name = refer(film, thing, rng, colour=False)
    if name is None:
        return None
    assert thing.changed is not None
    after = rng.random() < 0.5
    question = choose(_AFTER if after else _BEFORE, rng).format(it=name)
    answer = thing.changed if after else thing.colour
    return Exchange.words(question[0].upper() + question[1:], answer, f"film colour {film.objects.index(thing)}")
