"""Is it there? The absent ones are what the data set shows most often (POPE, Li et al. 2023, section 4: popular sampling)."""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange
from vistune.world.scene import Scene
from vistune.world.tasks._existence import digit_colours, digits_present, exchange


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Three of five objects are digits, so the most frequent things are the ten digits and "a digit" in each colour."""
    by_name = rng.random() < 0.5
    present, absent = digits_present(scene) if by_name else digit_colours(scene)
    yes = rng.random() < 0.5
    options = present if yes else absent
    if not present or not absent:  # without digits there is nothing to say yes to
        return None
    what = options[int(rng.random() * len(options))]
    return exchange(what if by_name else f"{what} digit", yes, rng)
