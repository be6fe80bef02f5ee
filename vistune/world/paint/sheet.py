"""A sheet of edits, before and after with the instruction, to look at."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vistune.sample import Sample

_ZOOM, _COLUMNS, _LINE = 2, 4, 14


def edit_sheet(samples: list[Sample]) -> Image.Image:
    """Pairs of pictures, the instruction above each."""
    side = 64 * _ZOOM
    columns = min(_COLUMNS, len(samples))
    cell, row = 2 * side + 12, side + _LINE + 6
    sheet = Image.new("RGB", (columns * cell, math.ceil(len(samples) / columns) * row), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_LINE - 4)
    for number, sample in enumerate(samples):
        left, top = number % columns * cell, number // columns * row
        draw.text((left + 2, top), sample.turns[0].text.strip(), fill="black", font=font)
        for place, medium in enumerate(sample.media):
            assert isinstance(medium.data, np.ndarray)
            picture = Image.fromarray(medium.data).resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(picture, (left + place * (side + 2), top + _LINE))
    return sheet
