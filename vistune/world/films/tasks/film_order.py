"""Which of two things that happen comes first?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.films.film import Film, FilmObject
from vistune.world.films.phrases import noun, refer

_QUESTIONS = (
    "Which comes first: {a} or {b}?",
    "What happens first, {a} or {b}?",
    "Of two things, {a} and {b}: which is first?",
)
_DEEDS = {
    "appear": "{it} appears",
    "disappear": "{it} disappears",
    "change": "{it} changes its colour",
}


def ask(film: Film, rng: np.random.Generator) -> Exchange | None:
    """Of two things that appear, disappear or change; answered with the name of the one that does so first."""
    sudden = [thing for thing in film.objects if thing.frame is not None]
    if len(sudden) < 2:
        return None
    a, b = (sudden[int(index)] for index in rng.permutation(len(sudden))[:2])
    names = [refer(film, thing, rng, colour=False) for thing in (a, b)]
    if names[0] is None or names[1] is None:
        return None
    assert a.frame is not None and b.frame is not None
    first = a if a.frame < b.frame else b
    question = choose(_QUESTIONS, rng).format(a=_deed(a, names[0]), b=_deed(b, names[1]))
    return Exchange.words(question, noun(first), "film order")


def _deed(thing: FilmObject, name: str) -> str:
    return _DEEDS[thing.action].format(it=name)
