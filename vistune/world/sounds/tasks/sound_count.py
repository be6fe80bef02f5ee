"""How many things are heard?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import NUMBERS
from vistune.world.sounds.sound import Sound

_ALL = ("How many sounds are there?", "How many things are heard?", "Count the sounds.")
_KINDS = {
    "struck": ("How many sounds are struck?", "How many times is something struck?", "Count what is struck."),
    "blown": ("How many sounds are blown?", "How many times is something blown?", "Count what is blown."),
    "spoken": ("How many words are spoken?", "How many times does somebody speak?", "Count the spoken words."),
}


def ask(sound: Sound, rng: np.random.Generator) -> Exchange | None:
    """Half are asked of everything, where the four numbers are equally likely, and half of a kind."""
    if rng.random() < 0.5:
        return Exchange.words(choose(_ALL, rng), NUMBERS[len(sound.events)], "sound count")
    number = int(rng.integers(0, 3))
    kinds = [kind for kind in _KINDS if sum(event.kind == kind for event in sound.events) == number]
    if not kinds:
        return None
    kind = kinds[int(rng.integers(len(kinds)))]
    return Exchange.words(choose(_KINDS[kind], rng), NUMBERS[number], f"sound count {kind}")
