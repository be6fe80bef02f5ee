"""From which side does it come?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.sounds.phrases import noun
from vistune.world.sounds.sound import Sound

_QUESTIONS = (
    "Does the {it} come from the left or the right?",
    "On which side is the {it} heard: left or right?",
    "Where is the {it}, left or right?",
)


def ask(sound: Sound, rng: np.random.Generator) -> Exchange | None:
    """Of something that is heard once; with the channels swapped every answer is the other one."""
    once = [event for event in sound.events if sum(noun(other) == noun(event) for other in sound.events) == 1]
    if not once:
        return None
    event = once[int(rng.integers(len(once)))]
    return Exchange.words(choose(_QUESTIONS, rng).format(it=noun(event)), event.side, f"sound side {noun(event)}")
