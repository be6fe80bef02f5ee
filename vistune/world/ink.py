"""From a glyph to ink: placed upright-ish at a wanted height, its stroke varied, as an opacity patch with a tight mask."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from vistune.errors import InputError, nearest

Domain: TypeAlias = Literal["clean", "outline", "noise", "inverse"]
DOMAINS: tuple[Domain, ...] = get_args(Domain)

THRESHOLD = 0.4  # opacity from which a pixel counts as ink, in masks and so in boxes
_VISIBLE = 0.04  # opacity from which a pixel is drawn at all


def check_domain(domain: str) -> Domain:
    """`domain` itself; `InputError` names the known ones when it is none of them."""
    for known in DOMAINS:
        if domain == known:
            return known
    raise InputError(f"the world has no domain {domain!r}{nearest(domain, list(DOMAINS))}")


@dataclass(frozen=True, slots=True, eq=False)
class Glyph:
    """A grey picture of one thing (255 where there is ink) and the bounds of its ink: left, top, right, bottom in pixels."""

    image: Image.Image
    bounds: tuple[int, int, int, int]

    @classmethod
    def of(cls, image: Image.Image) -> Glyph:
        """The glyph in a grey picture; the middle grey and above is ink."""
        bounds = image.point([0] * 110 + [255] * 146).getbbox()
        assert bounds is not None, "every glyph has ink"
        return cls(image, bounds)


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """One object before it is placed: opacity `[h, w]` in 0-1 with its soft fringe, and the mask (same size) of its ink."""

    opacity: NDArray[np.float32]
    mask: NDArray[np.bool_]


def bounds(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom (the latter two exclusive) of what is set in a mask `[h, w]` that has something set."""
    rows: NDArray[np.bool_] = np.logical_or.reduce(mask, axis=1)
    columns: NDArray[np.bool_] = np.logical_or.reduce(mask, axis=0)
    height, width = mask.shape
    return int(columns.argmax()), int(rows.argmax()), width - int(columns[::-1].argmax()), height - int(rows[::-1].argmax())


def warp(glyph: Glyph, height: float, rng: np.random.Generator, turn: float, shear: float) -> Image.Image:
    """The glyph scaled so that its ink is about `height` pixels high, turned (degrees) and sheared at random, centred."""
    left, top, right, bottom = glyph.bounds
    scale = (bottom - top) / height
    angle, slant, stretch = rng.uniform((-turn, -shear, 0.9), (turn, shear, 1.12))
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    side = math.ceil(1.35 * max(height, (right - left) / scale)) + 6
    # Output pixel -> glyph pixel, which is the direction Pillow wants: about the centres, turned, then sheared and scaled.
    a, b = scale / stretch * cos, scale * (sin + slant)
    d, e = -scale / stretch * sin, scale * cos
    centre_x, centre_y, half = (left + right) / 2, (top + bottom) / 2, side / 2
    matrix = (a, b, centre_x - (a + b) * half, d, e, centre_y - (d + e) * half)
    return glyph.image.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def develop(glyph: Image.Image, domain: Domain, rng: np.random.Generator, vary_stroke: bool) -> Ink:
    """Turn a grey glyph at its final size into ink in the manner of the domain, cropped to what is visible."""
    opacity = np.asarray(_outline(glyph) if domain == "outline" else glyph, dtype=np.float32) / np.float32(255)
    if (
        vary_stroke and domain != "outline"
    ):  # moving the grey levels that count as no ink and full ink makes the stroke thicker or thinner
        low, high = rng.uniform((0.05, 0.55), (0.3, 0.85))
        opacity = np.clip((opacity - np.float32(low)) / np.float32(high - low), 0, 1)
    if domain == "inverse":
        opacity = _tile(opacity)
    left, top, right, bottom = bounds(opacity > _VISIBLE)
    opacity = opacity[top:bottom, left:right]
    return Ink(opacity, opacity >= THRESHOLD)


def _outline(glyph: Image.Image) -> Image.Image:
    """Only the edge: what the ink, its own edge sharpened, gains when it grows by a pixel."""
    sharp = glyph.point(_STEEP)
    return ImageChops.subtract(sharp.filter(ImageFilter.MaxFilter(3)), sharp)


_STEEP = [min(255, max(0, 4 * (level - 80))) for level in range(256)]  # a lookup table


def _tile(opacity: NDArray[np.float32]) -> NDArray[np.float32]:
    """A coloured tile in which the glyph is left out."""
    left, top, right, bottom = bounds(opacity > THRESHOLD)
    tile = np.zeros_like(opacity)
    area = slice(max(top - 2, 0), bottom + 2), slice(max(left - 2, 0), right + 2)
    tile[area] = 1 - opacity[area]
    return tile
