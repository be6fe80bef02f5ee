"""A decoded picture of any mode as 8-bit RGB, transparency laid over white; in bands, so that memory stays bounded."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from vistune.errors import InputError

_ALPHA_MODES = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
_BAND = 1 << 22  # pixels converted at a time


def to_rgb(image: Image.Image, name: str) -> Image.Image:
    """8-bit RGB. Raises `InputError`, beginning with `name`, for pixels of unknown range and keys that were rounded away."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image.copy()
    if image.mode.startswith("I;16"):
        return _by_bands(image, lambda band: _scaled(np.asarray(band)))
    if image.mode in ("I", "F"):
        raise InputError(f"{name} has 32-bit pixels of unknown range: save it with 8 or 16 bits per channel")
    key = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(key, tuple) and max(key) > 255:
        raise InputError(
            f"{name} has a transparent colour of 16 bits, which 8-bit pixels cannot tell: save it with an alpha channel"
        )
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        return _by_bands(image, _over_white)
    return image.convert("RGB")


def transparent_gray(data: bytes, image: Image.Image) -> int | None:
    """The transparent level of a gray PNG of 2, 4 or 16 bits, in the values that Pillow gives its pixels.

    Pillow keeps the level as the file has it while it spreads 2 and 4 bits over a byte, and has no alpha for 16.
    """
    level = image.info.get("transparency")
    if image.format != "PNG" or not isinstance(level, int) or data[25] != 0:
        return None
    (depth,) = struct.unpack("B", data[24:25])
    if depth == 16:
        return level
    return level * 255 // ((1 << depth) - 1) if depth in (2, 4) else None


def over_white(image: Image.Image, level: int) -> Image.Image:
    """A gray picture as RGB, white where it has this level."""

    def laid(band: Image.Image) -> Image.Image:
        values = np.asarray(band)
        gray = np.asarray(_scaled(values).convert("L")) if values.dtype.itemsize > 1 else values
        return Image.fromarray(np.where(values == level, 255, gray).astype(np.uint8)).convert("RGB")

    return _by_bands(image, laid)


def _by_bands(image: Image.Image, change: Callable[[Image.Image], Image.Image]) -> Image.Image:
    whole = Image.new("RGB", image.size)
    for top, bottom in _bands(image):
        band = image.crop((0, top, image.width, bottom))
        band.info = image.info
        whole.paste(change(band), (0, top))
    return whole


def _bands(image: Image.Image) -> Iterator[tuple[int, int]]:
    rows = max(1, _BAND // max(1, image.width))
    return ((top, min(top + rows, image.height)) for top in range(0, image.height, rows))


def _scaled(values: object) -> Image.Image:
    """16 bits to 8, rounded (257 is odd, so that nothing lies half-way)."""
    whole = np.asarray(values).astype(np.uint32)
    return Image.fromarray(((whole + 128) // 257).astype(np.uint8)).convert("RGB")


def _over_white(band: Image.Image) -> Image.Image:
    picture = band.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
