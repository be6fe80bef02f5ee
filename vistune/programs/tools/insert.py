"""`insert`: something new at a place of a picture, painted or found."""

from __future__ import annotations

from vistune.construction.kit import Painter
from vistune.data.media.image import load_image
from vistune.programs.painters.base import open_painter
from vistune.programs.pictures.areas import as_medium, pixel_box
from vistune.programs.tool import Image, ToolPart
from vistune.sample import Media, Region
from vistune.spec import Spec


class Insert(ToolPart):
    """What a painter (`by`, a spec) makes of the words, fitted into the box."""

    def __init__(self, by: Spec, name: str = "Insert") -> None:
        self.name, self.use = name, "Puts something new into a picture."
        self._painter: Painter = open_painter(by)

    def __call__(self, image: Image, what: str, region: Region) -> Media:
        """The picture with it."""
        picture = load_image(image)
        left, top, right, bottom = pixel_box(region, picture.size)
        piece = load_image(self._painter.paint("image", what)).resize((right - left, bottom - top))
        picture.paste(piece, (left, top))
        return as_medium(picture)
