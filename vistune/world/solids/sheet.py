"""A sheet of clouds seen from three sides, to look at."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vistune.world.solids.cloud import Cloud
from vistune.world.solids.phrases import caption

_SIDE = 160
_REACH = 1.5  # of the room shown to each side
_LINE = 14
# From the front, from the right and from above: the axis across, the axis up, the axis of depth and whether it grows away.
_VIEWS = ((0, 2, 1, True), (1, 2, 0, False), (0, 1, 2, False))


def cloud_sheet(clouds: list[Cloud]) -> Image.Image:
    """Each cloud from the front, from the right and from above, nearer points over farther ones, its caption above them."""
    sheet = Image.new("RGB", (len(_VIEWS) * (_SIDE + 2), len(clouds) * (_SIDE + _LINE + 4)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_LINE - 3)
    for number, cloud in enumerate(clouds):
        top = number * (_SIDE + _LINE + 4)
        draw.text((2, top), f"{cloud.split} {cloud.seed}: {caption(cloud, size=True)}", fill="black", font=font)
        for column, (across, up, depth, away) in enumerate(_VIEWS):
            left = column * (_SIDE + 2)
            draw.rectangle((left, top + _LINE, left + _SIDE, top + _LINE + _SIDE), fill=(24, 24, 24))
            order = np.argsort(-cloud.points[:, depth] if away else cloud.points[:, depth])
            for point in cloud.points[order]:
                x = left + (point[across] + _REACH) / (2 * _REACH) * _SIDE
                y = top + _LINE + _SIDE - (point[up] + (_REACH if up == 1 else 0.8)) / (2 * _REACH) * _SIDE
                red, green, blue = (int(255 * value) for value in point[3:])
                draw.rectangle((x - 1, y - 1, x + 1, y + 1), fill=(red, green, blue))
    return sheet
