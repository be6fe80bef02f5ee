"""A sheet of scenes with their boxes and names, to look at."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw, ImageFont

from vistune.world.expressions import phrase
from vistune.world.scene import Scene

_ZOOM = 4
_COLUMNS = 6
_LINE = 11  # pixels of a line of text
_LINES = 5


def contact_sheet(scenes: list[Scene]) -> Image.Image:
    """The scenes enlarged, their boxes drawn and numbered, and below each the objects' names."""
    side = len(scenes[0].image) * _ZOOM
    columns = min(_COLUMNS, len(scenes))
    rows = math.ceil(len(scenes) / columns)
    cell = side + (_LINES + 1) * _LINE + 8
    sheet = Image.new("RGB", (columns * (side + 4), rows * cell), "white")
    font = ImageFont.load_default(_LINE - 1)
    draw = ImageDraw.Draw(sheet)
    for number, scene in enumerate(scenes):
        left, top = number % columns * (side + 4) + 2, number // columns * cell + 2
        sheet.paste(Image.fromarray(scene.image).resize((side, side), Image.Resampling.NEAREST), (left, top))
        for index, thing in enumerate(scene.objects):
            x1, y1, x2, y2 = (side * edge for edge in thing.box)
            draw.rectangle((left + x1 - 1, top + y1 - 1, left + x2, top + y2), outline="grey" if scene.dark else "black")
            draw.text((left + x1, top + max(y1 - _LINE, 0)), str(index + 1), fill="white" if scene.dark else "black", font=font)
            name = f"{index + 1} {phrase(thing, size=True)}"
            draw.text((left, top + side + (index + 1) * _LINE), name, fill="black", font=font)
        draw.text((left, top + side), f"{scene.split} {scene.seed} ({scene.domain})", fill="grey", font=font)
    return sheet
