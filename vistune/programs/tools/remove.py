"""`remove`: a picture without what lies in a region."""

from __future__ import annotations

from vistune.data.media.image import load_image
from vistune.programs.pictures.areas import area, as_medium
from vistune.programs.pictures.inpaint import without
from vistune.programs.tool import Image, ToolPart
from vistune.sample import Media, Region


class Remove(ToolPart):
    """Fills the region smoothly from around it. Pixels further away than `grow` from the region stay as they are."""

    def __init__(self, grow: int = 2, name: str = "Remove") -> None:
        self.name, self.use = name, "Removes a part of a picture and fills the place."
        self._grow = grow

    def __call__(self, image: Image, region: Region) -> Media:
        """The picture without it."""
        picture = load_image(image)
        return as_medium(without(picture, area(region, picture.size), self._grow))
