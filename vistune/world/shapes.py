"""Drawn shapes: filled glyphs, rendered once at high resolution and smoothed by scaling down."""

from __future__ import annotations

import math
from functools import cache

from PIL import Image, ImageDraw

from vistune.world.ink import Glyph

NAMES = ("circle", "square", "triangle", "cross", "star", "ring")

_SIDE = 48  # of the glyph kept
_FINE = 4 * _SIDE  # of the drawing it is reduced from
_RADIUS = 0.42 * _FINE


def _polygon(radii: tuple[float, ...], start: float) -> list[tuple[float, float]]:
    """Corners at equal angles from `start` (degrees, clockwise from the right), at the given shares of the radius."""
    corners = []
    for index, share in enumerate(radii):
        angle = math.radians(start + 360 * index / len(radii))
        corners.append((_FINE / 2 + share * _RADIUS * math.cos(angle), _FINE / 2 + share * _RADIUS * math.sin(angle)))
    return corners


@cache
def glyph(name: str) -> Glyph:
    """The shape as a filled glyph."""
    image = Image.new("L", (_FINE, _FINE))
    draw = ImageDraw.Draw(image)
    near, far, arm = _FINE / 2 - _RADIUS, _FINE / 2 + _RADIUS, 0.32 * _RADIUS
    match name:
        case "circle":
            draw.ellipse((near, near, far, far), fill=255)
        case "ring":
            draw.ellipse((near, near, far, far), fill=255)
            hole = 0.45 * _RADIUS
            draw.ellipse((near + hole, near + hole, far - hole, far - hole), fill=0)
        case "square":
            draw.rectangle((near, near, far, far), fill=255)
        case "triangle":
            draw.polygon([(_FINE / 2, near), (far, far), (near, far)], fill=255)
        case "cross":
            draw.rectangle((near, _FINE / 2 - arm, far, _FINE / 2 + arm), fill=255)
            draw.rectangle((_FINE / 2 - arm, near, _FINE / 2 + arm, far), fill=255)
        case "star":
            draw.polygon(_polygon((1.0, 0.4) * 5, start=-90), fill=255)
        case _:
            raise ValueError(f"no shape is called {name!r}")
    return Glyph.of(image.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS))
