"""Is it there? The absent ones are made of what the scene does show: a red seven where red and seven occur, but apart.

POPE's adversarial sampling (Li et al. 2023, section 4) takes what co-occurs with the picture's objects; here every attribute
of the absent object is present, so that only its binding to one object answers the question.
"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange
from vistune.world.expressions import phrase
from vistune.world.scene import Scene
from vistune.world.tasks._existence import exchange


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Only scenes in which such an absent object exists are asked about, with yes and no alike."""
    present = {phrase(thing): thing for thing in scene.objects}
    crossed = {
        phrase(one).replace(one.colour, other.colour, 1)
        for one in scene.objects
        for other in scene.objects
        if one.colour != other.colour
    }
    absent = sorted(crossed - present.keys())
    if not absent:
        return None
    yes = rng.random() < 0.5
    options = list(present) if yes else absent
    return exchange(options[int(rng.random() * len(options))], yes, rng)
