"""Is it there? The absent ones are made of what the cloud does show: a red cone where red and a cone occur, but apart."""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import indefinite
from vistune.world.solids.cloud import Cloud
from vistune.world.solids.phrases import phrase

_QUESTIONS = ("Is there {it} in the room?", "Does the cloud show {it}?", "Do you find {it} here?")


def ask(cloud: Cloud, rng: np.random.Generator) -> Exchange | None:
    """Only clouds in which such an absent solid exists are asked about, with yes and no alike."""
    present = sorted({phrase(solid) for solid in cloud.solids})
    absent = sorted({f"{a.colour} {b.name}" for a in cloud.solids for b in cloud.solids} - set(present))
    if not absent:
        return None
    yes = rng.random() < 0.5
    options = present if yes else absent
    wanted = options[int(rng.integers(len(options)))]
    return Exchange.words(
        choose(_QUESTIONS, rng).format(it=indefinite(wanted)), "yes" if yes else "no", f"solid existence {wanted}"
    )
