"""Points drawn evenly from the surfaces of six solids, each in proportions of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vistune.world.digits import Split

MADE = 40  # shapes of a name
MAKES: dict[Split, range] = {"train": range(0, 30), "validation": range(30, 34), "test": range(34, 40)}

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Make:
    """The proportions of one shape: two numbers in [-1, 1] that stretch it and make it thicker."""

    stretch: float
    thick: float


@cache
def make_of(name: str, number: int) -> Make:
    """Shape `number` (0 to 39) of a name, always the same."""
    stretch, thick = np.random.default_rng([number, *name.encode()]).uniform(-1, 1, 2)
    return Make(float(stretch), float(thick))


def surface(name: str, make: Make, count: int, rng: np.random.Generator) -> Points:
    """`[count, 3]` of a solid about one high and wide, standing on the plane z = 0 with its axis upright at the origin."""
    return _SURFACES[name](make, count, rng)


def _turned(profile: Callable[[Points], tuple[Points, Points]], areas: Points, count: int, rng: np.random.Generator) -> Points:
    """A surface of revolution: `profile(t)` gives radius and height for t in [0, 1], `areas` the area of equal steps of t."""
    edges = np.concatenate([[0.0], np.cumsum(areas) / areas.sum()])
    t = np.interp(rng.random(count), edges, np.linspace(0, 1, len(edges)))
    radius, height = profile(t)
    angle = rng.uniform(0, 2 * math.pi, count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)


def _polyline(corners: list[tuple[float, float]], count: int, rng: np.random.Generator) -> Points:
    """The solid that a line of (radius, height) sweeps when it is turned about the axis."""
    radii, heights = np.array(corners).T
    fine = np.linspace(0, 1, 401)
    steps = np.hypot(np.diff(radii), np.diff(heights))
    at = np.concatenate([[0.0], np.cumsum(steps) / steps.sum()])

    def profile(t: Points) -> tuple[Points, Points]:
        return np.interp(t, at, radii), np.interp(t, at, heights)

    middle = profile((fine[1:] + fine[:-1]) / 2)[0]
    return _turned(profile, middle + 1e-9, count, rng)


def _ball(make: Make, count: int, rng: np.random.Generator) -> Points:
    points = rng.standard_normal((count, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    height = 0.5 + 0.06 * make.stretch
    return np.asarray(points * (0.5, 0.5, height) + (0, 0, height))


def _cube(make: Make, count: int, rng: np.random.Generator) -> Points:
    sides = np.array([0.8, 0.8 + 0.1 * make.thick, 0.8 + 0.1 * make.stretch])
    areas = np.array([sides[1] * sides[2], sides[0] * sides[2], sides[0] * sides[1]])
    axis = rng.choice(3, count, p=areas / areas.sum())
    points = rng.uniform(-0.5, 0.5, (count, 3))
    points[np.arange(count), axis] = rng.integers(0, 2, count) - 0.5
    return np.asarray(points * sides + (0, 0, sides[2] / 2))


def _cylinder(make: Make, count: int, rng: np.random.Generator) -> Points:
    radius, height = 0.34 + 0.05 * make.thick, 1.05 + 0.12 * make.stretch
    return _polyline([(0, 0), (radius, 0), (radius, height), (0, height)], count, rng)


def _cone(make: Make, count: int, rng: np.random.Generator) -> Points:
    radius, height = 0.45 + 0.06 * make.thick, 1.05 + 0.12 * make.stretch
    return _polyline([(0, 0), (radius, 0), (0, height)], count, rng)


def _ring(make: Make, count: int, rng: np.random.Generator) -> Points:
    tube, radius = 0.13 + 0.03 * make.thick, 0.4 + 0.04 * make.stretch
    angles = np.linspace(0, 2 * math.pi, 65)
    return _polyline([(radius + tube * math.cos(a), tube + tube * math.sin(a)) for a in angles], count, rng)


def _pyramid(make: Make, count: int, rng: np.random.Generator) -> Points:
    half, height = (
        0.5 + 0.04 * make.thick,
        0.62 + 0.06 * make.stretch,
    )  # squat: no cone is
    slope = math.hypot(half, height)
    on_base = rng.random(count) < half / (half + slope)  # areas: base (2h)^2, sides 4 * h * slope
    points = np.empty((count, 3))
    points[:, :2] = rng.uniform(-half, half, (count, 2))
    points[:, 2] = 0
    up = 1 - np.sqrt(rng.random(count))  # a side narrows towards the top
    across, side = rng.uniform(-1, 1, count), rng.integers(0, 4, count)
    reach = half * (1 - up)
    x, y = np.where(side % 2 == 0, reach, across * reach), np.where(side % 2 == 0, across * reach, reach)
    sign = np.where(side < 2, 1, -1)
    walls = np.stack([x * sign, y * sign, up * height], axis=1)
    return np.where(on_base[:, None], points, walls)


_SURFACES: dict[str, Callable[[Make, int, np.random.Generator], Points]] = {
    "ball": _ball,
    "cube": _cube,
    "cylinder": _cylinder,
    "cone": _cone,
    "ring": _ring,
    "pyramid": _pyramid,
}
NAMES = tuple(_SURFACES)
