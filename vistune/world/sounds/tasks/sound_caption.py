"""What is heard, in order?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.sounds.phrases import transcript
from vistune.world.sounds.sound import Sound

_QUESTIONS = (
    "What is heard?",
    "Describe the sound briefly.",
    "Give a short caption for this recording.",
    "List what can be heard, in order.",
)


def ask(sound: Sound, rng: np.random.Generator) -> Exchange | None:
    """Everything in order of time; with its side is accepted, too."""
    return Exchange.words(choose(_QUESTIONS, rng), transcript(sound), "sound caption", transcript(sound, side=True))
