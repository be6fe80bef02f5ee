"""Which of two is heard first?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.sounds.phrases import noun
from vistune.world.sounds.sound import Sound

_QUESTIONS = (
    "Which is heard first, the {a} or the {b}?",
    "What comes first: the {a} or the {b}?",
    "Of the {a} and the {b}, which sounds earlier?",
)


def ask(sound: Sound, rng: np.random.Generator) -> Exchange | None:
    """Of two things that are each heard once; either is named first as often as not."""
    once = [event for event in sound.events if sum(noun(other) == noun(event) for other in sound.events) == 1]
    if len(once) < 2:
        return None
    a, b = (once[int(index)] for index in rng.permutation(len(once))[:2])
    first = a if a.start < b.start else b
    return Exchange.words(choose(_QUESTIONS, rng).format(a=noun(a), b=noun(b)), noun(first), "sound order")
