"""`make_cloud`: a room with one to three solids as one coloured point cloud, drawn from a seed, with its full truth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.sample import Media, Region
from vistune.world import palette
from vistune.world.digits import SPLITS, Split, check_split
from vistune.world.scene import Size
from vistune.world.solids.surfaces import MAKES, NAMES, make_of, surface

MAX_COUNT = 3
POINTS = 1024
Box3d = tuple[float, float, float, float, float, float]

_HEIGHTS: dict[Size, tuple[float, float]] = {"small": (0.42, 0.52), "large": (0.78, 0.95)}
_ROOM = 0.95  # half the side of the floor on which middles stand
_GAP = 0.08  # left between two solids
_LEAST = 120  # points a solid has, however small it is
_JITTER = 0.006


@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """One solid: `box` is its least and greatest x, y, z; `points` tells its rows of the cloud; `make` its proportions."""

    name: str
    colour: str
    size: Size
    box: Box3d
    points: NDArray[np.int64]
    make: int

    @property
    def centre(self) -> tuple[float, float, float]:
        """The middle of the box."""
        x1, y1, z1, x2, y2, z2 = self.box
        return (x1 + x2) / 2, (y1 + y2) / 2, (z1 + z2) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """Points float32 `[N, 6]` (x to the right, y to the back, z up; colour in [0, 1]) in no order, and their solids."""

    seed: int
    split: Split
    points: NDArray[np.float32]
    solids: tuple[Solid, ...]

    def media(self) -> tuple[Media, ...]:
        """The cloud as an array."""
        return (Media("points", data=self.points),)

    def regions(self) -> tuple[Region, ...]:
        """Regions are flat; the solids' boxes stand in `facts`."""
        return ()

    def facts(self) -> list[dict[str, object]]:
        """The solids as plain JSON."""
        return [
            {"name": solid.name, "colour": solid.colour, "size": solid.size, "box": list(solid.box)} for solid in self.solids
        ]


def make_cloud(seed: int, split: Split = "train", count: int | None = None, points: int = POINTS) -> Cloud:
    """Draw cloud number `seed` of a split: `count` solids, or one to three, none above or within another.

    `split` decides whose proportions appear. Raises `InputError` outside these ranges.
    """
    check_split(split)
    if seed < 0 or points < MAX_COUNT * _LEAST or (count is not None and not 1 <= count <= MAX_COUNT):
        raise InputError(
            f"a cloud needs seed >= 0, {MAX_COUNT * _LEAST} points or more and 1 to {MAX_COUNT} solids, "
            f"not {seed}, {points}, {count}"
        )
    rng = np.random.default_rng([seed, SPLITS.index(split), 6, points, count or 0])
    number = count or int(rng.integers(1, MAX_COUNT + 1))
    sizes: list[Size] = ["small" if rng.random() < 0.5 else "large" for _ in range(number)]
    heights = np.array([rng.uniform(*_HEIGHTS[size]) for size in sizes])
    shares = _LEAST + (points - number * _LEAST) * heights**2 / (heights**2).sum()
    bounds = np.concatenate([[0], np.cumsum(shares).round().astype(int)])
    cloud = np.empty((points, 6), np.float32)
    order = rng.permutation(points)
    solids = []
    for index, (x, y) in enumerate(_places(heights, rng)):
        rows = np.sort(order[bounds[index] : bounds[index + 1]])
        name, colour = NAMES[int(rng.integers(len(NAMES)))], palette.NAMES[int(rng.integers(len(palette.NAMES)))]
        make = int(MAKES[split][int(rng.integers(len(MAKES[split])))])
        body = _turn(surface(name, make_of(name, make), len(rows), rng), rng) * heights[index] + (x, y, 0)
        body += _JITTER * rng.standard_normal(body.shape)
        cloud[rows, :3] = body
        light = rng.uniform(0.85, 1.1) * (0.85 + 0.15 * body[:, 2:] / heights[index])  # the top catches more light
        cloud[rows, 3:] = np.clip(light * palette.ink(colour, True, rng) / 255, 0, 1)
        low, high = cloud[rows, :3].min(axis=0).tolist(), cloud[rows, :3].max(axis=0).tolist()
        solids.append(Solid(name, colour, sizes[index], (*low, *high), rows, make))
    return Cloud(seed, split, cloud, tuple(solids))


def _turn(body: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Turned about the upright axis by any angle."""
    angle = rng.uniform(0, 2 * math.pi)
    cos, sin = math.cos(angle), math.sin(angle)
    return np.asarray(body @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]]))


def _places(heights: NDArray[np.float64], rng: np.random.Generator) -> list[tuple[float, float]]:
    """Middles on the floor far enough apart that no two solids touch, however they are turned."""
    reach = 0.66 * heights  # the farthest that a solid one high gets from its axis, with its jitter
    while True:
        middles = rng.uniform(-_ROOM, _ROOM, (len(heights), 2))
        apart = np.linalg.norm(middles[:, None] - middles[None], axis=-1)
        if all(apart[i, j] >= reach[i] + reach[j] + _GAP for i in range(len(heights)) for j in range(i)):
            return [(float(x), float(y)) for x, y in middles]
