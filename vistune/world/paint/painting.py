"""`make_painting`: a picture that is to be made from words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vistune.sample import Media, Region
from vistune.world.digits import SPLITS, Split, check_split
from vistune.world.expressions import phrase
from vistune.world.scene import Scene, make_scene

MAX_COUNT = 2


@dataclass(frozen=True, slots=True, eq=False)
class Painting:
    """The picture wanted: a scene of one or two objects."""

    seed: int
    scene: Scene

    def media(self) -> tuple[Media, ...]:
        """The picture."""
        return (Media("image", data=self.scene.image),)

    def regions(self) -> tuple[Region, ...]:
        """Its objects."""
        return tuple(Region(box=thing.box, label=phrase(thing)) for thing in self.scene.objects)

    def facts(self) -> list[dict[str, object]]:
        """Its objects as plain JSON."""
        return facts(self.scene)


def make_painting(seed: int, split: Split = "train") -> Painting:
    """Draw painting number `seed` of a split."""
    count = int(np.random.default_rng([seed, SPLITS.index(check_split(split)), 9]).integers(1, MAX_COUNT + 1))
    return Painting(seed, make_scene(seed, split, count=count))


def facts(scene: Scene) -> list[dict[str, object]]:
    """A scene's objects as plain JSON."""
    return [
        {"kind": thing.kind, "name": thing.name, "colour": thing.colour, "size": thing.size, "box": list(thing.box)}
        for thing in scene.objects
    ]
