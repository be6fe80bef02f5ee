"""What is the solid of a colour?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.solids.cloud import Cloud
from vistune.world.solids.phrases import refer

_QUESTIONS = (
    "What is {it}?",
    "Which solid is {it}: ball, cube, cylinder, cone, ring or pyramid?",
    "What shape has {it}?",
)


def ask(cloud: Cloud, rng: np.random.Generator) -> Exchange | None:
    """Any solid that its colour tells from the rest."""
    solid = cloud.solids[int(rng.integers(len(cloud.solids)))]
    name = refer(cloud, solid, rng, without="name")
    if name is None:
        return None
    return Exchange.words(choose(_QUESTIONS, rng).format(it=name), solid.name, f"solid name {cloud.solids.index(solid)}")
