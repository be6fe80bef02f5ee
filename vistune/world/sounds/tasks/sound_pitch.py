"""Is it low or high?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.sounds.phrases import noun
from vistune.world.sounds.sound import Sound

_QUESTIONS = (
    "Is the {it} low or high?",
    "What pitch has the {it}: low or high?",
    "Does the {it} sound low or high?",
)


def ask(sound: Sound, rng: np.random.Generator) -> Exchange | None:
    """Of something that is heard once; low and high are equally likely for every source."""
    once = [event for event in sound.events if sum(noun(other) == noun(event) for other in sound.events) == 1]
    if not once:
        return None
    event = once[int(rng.integers(len(once)))]
    return Exchange.words(choose(_QUESTIONS, rng).format(it=noun(event)), event.pitch, f"sound pitch {noun(event)}")
