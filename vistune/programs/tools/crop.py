"""`crop`: a part of a picture as a picture of its own."""

from __future__ import annotations

from vistune.data.media.image import load_image
from vistune.programs.pictures.areas import as_medium, pixel_box
from vistune.programs.tool import Image, ToolPart
from vistune.sample import Media, Region


class Crop(ToolPart):
    """What lies in the box around a region."""

    def __init__(self, name: str = "Crop") -> None:
        self.name, self.use = name, "Cuts a part out of a picture."

    def __call__(self, image: Image, region: Region) -> Media:
        """The part."""
        picture = load_image(image)
        return as_medium(picture.crop(pixel_box(region, picture.size)))
