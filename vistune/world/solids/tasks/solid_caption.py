"""What stands in the room?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.solids.cloud import Cloud
from vistune.world.solids.phrases import caption

_QUESTIONS = (
    "What stands in the room?",
    "Describe the point cloud briefly.",
    "Give a short caption for this cloud.",
    "List the solids from left to right.",
)


def ask(cloud: Cloud, rng: np.random.Generator) -> Exchange | None:
    """Every solid from left to right; with sizes is accepted, too."""
    return Exchange.words(choose(_QUESTIONS, rng), caption(cloud), "solid caption", caption(cloud, size=True))
