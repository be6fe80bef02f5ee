"""Which number does the voice say?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.sounds.sound import Sound

_QUESTIONS = (
    "Which number does the {pitch}voice say?",
    "What does the {pitch}voice say?",
    "Write down the word that the {pitch}voice speaks.",
)


def ask(sound: Sound, rng: np.random.Generator) -> Exchange | None:
    """Of the only voice, or of one that its pitch tells from the others."""
    spoken = [event for event in sound.events if event.kind == "spoken"]
    alone = [event for event in spoken if sum(other.pitch == event.pitch for other in spoken) == 1]
    if not alone:
        return None
    event = alone[int(rng.integers(len(alone)))]
    pitch = "" if len(spoken) == 1 else f"{event.pitch} "
    return Exchange.words(choose(_QUESTIONS, rng).format(pitch=pitch), event.name, f"sound word {event.pitch}")
