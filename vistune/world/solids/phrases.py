"""Words for solids: which one is meant, and whole clouds."""

from __future__ import annotations

import numpy as np

from vistune.world.expressions import indefinite, listing
from vistune.world.solids.cloud import Cloud, Solid


def phrase(solid: Solid) -> str:
    """`red cone`."""
    return f"{solid.colour} {solid.name}"


def refer(cloud: Cloud, solid: Solid, rng: np.random.Generator, without: str = "") -> str | None:
    """`the cone`, `the red solid` or `the red cone`, whichever fits it alone; `without` (`name`, `colour`) is not said."""
    options = []
    if without != "name" and sum(other.name == solid.name for other in cloud.solids) == 1:
        options.append(f"the {solid.name}")
    if without != "colour" and sum(other.colour == solid.colour for other in cloud.solids) == 1:
        options.append(f"the {solid.colour} solid")
    if not without and sum(phrase(other) == phrase(solid) for other in cloud.solids) == 1:
        options.append(f"the {phrase(solid)}")
    return options[int(rng.random() * len(options))] if options else None


def caption(cloud: Cloud, size: bool = False) -> str:
    """`a red cone and a blue ball`, from left to right; with sizes if asked for."""
    across = sorted(cloud.solids, key=lambda solid: solid.centre[0])
    return listing([indefinite(f"{solid.size} {phrase(solid)}" if size else phrase(solid)) for solid in across])
