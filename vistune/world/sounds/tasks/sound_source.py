"""What is heard at a place in the order: which instrument, or a voice?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.sounds.phrases import PLACES
from vistune.world.sounds.sound import Sound

_QUESTIONS = (
    "What is heard {place}: a bell, a drum, a block, a flute, a horn, a whistle or a voice?",
    "What sounds {place}: bell, drum, block, flute, horn, whistle or voice?",
    "Name the source of what is heard {place}: bell, drum, block, flute, horn, whistle or voice.",
)
_VOICES = 1 / 3  # of the voices are asked about: they are as frequent as three instruments


def ask(sound: Sound, rng: np.random.Generator) -> Exchange | None:
    """Of anything heard; the seven sources are equally likely."""
    place = int(rng.integers(len(sound.events)))
    event = sound.events[place]
    if event.kind == "spoken" and rng.random() > _VOICES:
        return None
    source = "voice" if event.kind == "spoken" else event.name
    return Exchange.words(choose(_QUESTIONS, rng).format(place=PLACES[place]), source, f"sound source {place}")
