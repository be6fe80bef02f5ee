"""Pictures as tools hand them on, and areas of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vistune.errors import InputError
from vistune.sample import Media, Region


def as_medium(picture: Image.Image) -> Media:
    """A picture made here as a medium."""
    return Media("image", data=np.asarray(picture.convert("RGB")))


def area(region: Region, size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels of a region in a picture of `size` (width, height). Raises `InputError` for a point, which has none."""
    width, height = size
    if region.point is not None:
        raise InputError("a point has no area: give a box or a mask")
    inside = np.zeros((height, width), dtype=bool)
    if region.mask is not None:
        if region.mask.shape != (height, width):
            raise InputError(f"a mask of {region.mask.shape} does not lie on a picture of {(height, width)}")
        return region.mask
    left, top, right, bottom = pixel_box(region, size)
    inside[top:bottom, left:right] = True
    return inside


def pixel_box(region: Region, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box around a region in whole pixels, never empty."""
    width, height = size
    x1, y1, x2, y2 = region.bounds()
    left, top = min(width - 1, int(x1 * width)), min(height - 1, int(y1 * height))
    return left, top, max(left + 1, round(x2 * width)), max(top + 1, round(y2 * height))
