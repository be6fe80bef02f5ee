"""`move`: a thing of a picture at another place (LLaVA-Interactive: cut out, fill, put down)."""

from __future__ import annotations

import numpy as np

from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.programs.pictures.areas import area
from vistune.programs.pictures.inpaint import without
from vistune.programs.tool import Image, ToolPart
from vistune.sample import Media, Region


class Move(ToolPart):
    """The pixels of `region` moved so that the middle of its box lies at the point `to`."""

    def __init__(self, grow: int = 2, name: str = "Move") -> None:
        self.name, self.use = name, "Moves a part of a picture to another place."
        self._grow = grow

    def __call__(self, image: Image, region: Region, to: Region) -> Media:
        """The picture with the part moved; what would lie beyond the edge is cut off."""
        if to.point is None:
            raise InputError("the place to move to is a point")
        picture = load_image(image)
        mask = area(region, picture.size)
        width, height = picture.size
        x1, y1, x2, y2 = region.bounds()
        right, down = round((to.point[0] - (x1 + x2) / 2) * width), round((to.point[1] - (y1 + y2) / 2) * height)
        before = np.asarray(picture.convert("RGB"))
        after = np.asarray(without(picture, mask, self._grow)).copy()
        rows, columns = np.nonzero(mask)
        new_rows, new_columns = rows + down, columns + right
        inside = (new_rows >= 0) & (new_rows < height) & (new_columns >= 0) & (new_columns < width)
        after[new_rows[inside], new_columns[inside]] = before[rows[inside], columns[inside]]
        return Media("image", data=after)
