"""What colour has a solid?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.solids.cloud import Cloud
from vistune.world.solids.phrases import refer

_QUESTIONS = ("What colour is {it}?", "Which colour does {it} have?", "Name the colour of {it}.")


def ask(cloud: Cloud, rng: np.random.Generator) -> Exchange | None:
    """Any solid that its name tells from the rest."""
    solid = cloud.solids[int(rng.integers(len(cloud.solids)))]
    name = refer(cloud, solid, rng, without="colour")
    if name is None:
        return None
    return Exchange.words(choose(_QUESTIONS, rng).format(it=name), solid.colour, f"solid colour {cloud.solids.index(solid)}")
