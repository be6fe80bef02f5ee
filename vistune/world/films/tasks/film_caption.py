"""What happens in the film, in a sentence?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.films.film import Film
from vistune.world.films.phrases import caption

_QUESTIONS = (
    "What happens in the film?",
    "Describe the film briefly.",
    "Give a short caption for this film.",
    "Say what is going on.",
)


def ask(film: Film, rng: np.random.Generator) -> Exchange | None:
    """Every thing with what it does."""
    return Exchange.words(choose(_QUESTIONS, rng), caption(film), "film caption")
