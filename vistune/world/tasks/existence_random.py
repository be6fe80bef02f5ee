"""Is it there? The absent ones are drawn at random (POPE, Li et al. 2023, section 4: random sampling)."""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange
from vistune.world.expressions import noun
from vistune.world.scene import NAMES, Scene
from vistune.world.tasks._existence import exchange


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """A name, present or absent with equal chance; an absent one is of a present object's kind, lest the kind tell."""
    model = scene.objects[int(rng.random() * len(scene.objects))]
    present = {thing.name for thing in scene.objects}
    absent = [name for name in NAMES[model.kind] if name not in present]
    if not absent:
        return None
    if rng.random() < 0.5:
        return exchange(noun(model), True, rng)
    name = absent[int(rng.random() * len(absent))]
    return exchange(f'word "{name}"' if model.kind == "word" else name, False, rng)
