"""How many solids are there?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import NUMBERS
from vistune.world.solids.cloud import Cloud

_QUESTIONS = ("How many solids are there?", "How many solids stand in the room?", "Count the solids.")


def ask(cloud: Cloud, rng: np.random.Generator) -> Exchange | None:
    """One, two or three, equally likely."""
    return Exchange.words(choose(_QUESTIONS, rng), NUMBERS[len(cloud.solids)], "solid count")
