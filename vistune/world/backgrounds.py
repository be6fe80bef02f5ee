"""Backgrounds: nearly neutral tints, light or dark, plain or with a gradient, soft noise or faint stripes."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

KINDS = ("plain", "gradient", "noise", "stripes")

_DARK, _LIGHT = (12.0, 58.0), (202.0, 244.0)
_TINT = 11.0  # how far a channel leaves neutral grey


def background(size: int, dark: bool, rng: np.random.Generator) -> NDArray[np.float32]:
    """A background `[size, size, 3]` in 0-255, within the light or the dark range so that every ink stands out."""
    kind = KINDS[int(rng.random() * len(KINDS))]
    first, second = _tint(dark, rng), _tint(dark, rng)
    if kind == "plain":
        return np.broadcast_to(first, (size, size, 3)).copy()
    if kind == "gradient":
        amount = _ramp(size, rng.uniform(0, 2 * math.pi))
    elif kind == "noise":
        amount = _clouds(size, rng)
    else:
        angle, period, phase = rng.random(3) * (2 * math.pi, 0.18, 2 * math.pi)
        amount = 0.35 + 0.35 * np.sin(_ramp(size, angle) * (2 * math.pi / (0.1 + period)) + phase)
    return (first + amount[..., None] * (second - first)).astype(np.float32)


def plain(size: int, dark: bool, rng: np.random.Generator) -> NDArray[np.float32]:
    """A background `[size, size, 3]` in 0-255 of one tint."""
    return np.broadcast_to(_tint(dark, rng), (size, size, 3)).copy()


def grain(size: int, deviation: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Pixel noise `[size, size, 1]` of the given standard deviation."""
    return rng.standard_normal((size, size, 1), dtype=np.float32) * np.float32(deviation)


def _tint(dark: bool, rng: np.random.Generator) -> NDArray[np.float32]:
    low, high = _DARK if dark else _LIGHT
    return np.clip(rng.uniform(low, high) + rng.uniform(-_TINT, _TINT, 3), 0, 255).astype(np.float32)


@cache
def _axes(size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    axis = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
    return axis[None, :], axis[:, None]


def _ramp(size: int, angle: float) -> NDArray[np.float32]:
    """0 to 1 (or nearly) across the picture in the direction of `angle`."""
    x, y = _axes(size)
    return np.float32(0.5) + np.float32(0.7 * math.cos(angle)) * x + np.float32(0.7 * math.sin(angle)) * y


def _clouds(size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Smooth noise between 0 and 1."""
    coarse = Image.fromarray((rng.random((6, 6)) * 255).astype(np.uint8))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float32) / np.float32(255)
