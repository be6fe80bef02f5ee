"""Boxes and points as data sets write them, to xyxy and xy in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from vistune.data.fields.typed import as_list, as_number
from vistune.errors import InputError
from vistune.sample import Box, Point

BoxFormat: TypeAlias = Literal["xyxy", "xywh", "cxcywh"]

SLACK = 1.0
"""How far, in pixels, rounding may have carried a box over the border; it is then cut there. Further out is refused."""


def unit_box(
    values: Any, where: str, size: tuple[float, float], form: BoxFormat = "xyxy", *, name: str = "box", clip: bool = False
) -> Box:
    """Four numbers in pixels of an image of `size` (width, height), or in [0, 1] with size (1, 1).

    Raises `InputError`, beginning with `where`, for a box that is not four finite numbers, is empty, or lies more than
    `SLACK` pixels (one thousandth with size (1, 1)) outside the image; `clip` cuts those that only reach outside.
    """
    numbers = [as_number(value, where, f"a number of {name!r}") for value in as_list(values, where, f"{name!r}")]
    if len(numbers) != 4:
        raise InputError(f"{where}: {name!r} has {len(numbers)} numbers, expected 4 ({form})")
    x, y, u, v = numbers
    if form == "xywh":
        u, v = x + u, y + v
    elif form == "cxcywh":
        x, y, u, v = x - u / 2, y - v / 2, x + u / 2, y + v / 2
    width, height = size
    if width <= 0 or height <= 0:
        raise InputError(f"{where}: the image's size {width:g}x{height:g} is no size")
    if not (x < u and y < v):
        raise InputError(f"{where}: {name!r} {numbers} ({form}) is empty")
    slack = SLACK if size != (1, 1) else 1e-3
    if not clip and (min(x, y) < -slack or u > width + slack or v > height + slack):
        raise InputError(f"{where}: {name!r} {numbers} ({form}) reaches outside the image of {width:g}x{height:g}")
    box = _cut(x / width), _cut(y / height), _cut(u / width), _cut(v / height)
    if not (box[0] < box[2] and box[1] < box[3]):
        raise InputError(f"{where}: {name!r} {numbers} ({form}) lies outside the image of {width:g}x{height:g}")
    return box


def unit_point(values: Sequence[Any], where: str, size: tuple[float, float], *, name: str = "point") -> Point:
    """Two numbers in pixels to xy in [0, 1]. Raises `InputError` when the point is outside the image."""
    numbers = [as_number(value, where, f"a number of {name!r}") for value in values]
    if len(numbers) != 2 or not (0 <= numbers[0] <= size[0] and 0 <= numbers[1] <= size[1]):
        raise InputError(f"{where}: {name!r} {numbers} is no point of an image of {size[0]:g}x{size[1]:g}")
    return numbers[0] / size[0], numbers[1] / size[1]


def _cut(value: float) -> float:
    return min(max(value, 0.0), 1.0)
