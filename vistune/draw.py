"""Regions drawn into pictures, for chats and reports."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vistune.sample import Region

COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#42d4f4")


def draw_regions(picture: Image.Image, regions: Sequence[Region], width: int | None = None) -> Image.Image:
    """A copy of the picture with its regions drawn in; `width` is the line's, by default a hundredth of the side."""
    canvas = picture.convert("RGB")
    pen = ImageDraw.Draw(canvas)
    across, down = canvas.size
    line = width or max(1, round(min(across, down) / 100))
    for index, region in enumerate(regions):
        colour = COLOURS[index % len(COLOURS)]
        if region.mask is not None:
            _lay_mask(canvas, region.mask, colour)
            if not region.mask.any():  # an empty mask has no bounds to draw
                continue
        x1, y1, x2, y2 = region.bounds()
        if region.point is not None:
            radius = 3 * line / min(across, down)
            pen.ellipse(
                ((x1 - radius) * across, (y1 - radius) * down, (x1 + radius) * across, (y1 + radius) * down), fill=colour
            )
        elif region.box is not None:
            pen.rectangle((x1 * across, y1 * down, x2 * across - 1, y2 * down - 1), outline=colour, width=line)
        if region.label:
            pen.text((x1 * across + line + 1, y1 * down + line), region.label, fill=colour)
    return canvas


def _lay_mask(canvas: Image.Image, mask: NDArray[np.bool_], colour: str) -> None:
    """Half-transparent colour where the mask is set, scaled to the picture."""
    shape = Image.fromarray((mask * 127).astype(np.uint8)).resize(canvas.size, Image.Resampling.NEAREST)
    canvas.paste(Image.new("RGB", canvas.size, colour), mask=shape)


def data_url(picture: Image.Image) -> str:
    """The picture as PNG inside a page."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
