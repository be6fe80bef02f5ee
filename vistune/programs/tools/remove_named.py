"""`remove_named`: a picture without a named thing (GPT4Tools' removal: find, outline, fill)."""

from __future__ import annotations

from vistune.data.media.image import load_image
from vistune.programs.observation import Observation
from vistune.programs.pictures.areas import area, as_medium
from vistune.programs.pictures.inpaint import without
from vistune.programs.segmenter import Segmenter
from vistune.programs.tool import Image, ToolPart
from vistune.programs.tools.detect import DEFAULT, open_detector
from vistune.spec import Spec


class RemoveNamed(ToolPart):
    """A detector (`by`) finds the thing, a promptable segmenter its shape; the place is filled smoothly from around it."""

    def __init__(
        self,
        by: Spec = DEFAULT,
        segmenter: str = "builtin:sam",
        grow: int = 2,
        name: str = "Remove Something From The Photo",
    ) -> None:
        self.name, self.use = name, "Removes a named thing from a picture."
        self._detector, self._segmenter, self._grow = open_detector(by), Segmenter(segmenter), grow

    def __call__(self, image: Image, what: str) -> Observation:
        """The picture without it, or the sentence that it is not there."""
        picture = load_image(image)
        boxes = [found.region for found in self._detector.find(picture, [what])]
        if not boxes:
            return Observation(f"there is no {what}")
        for mask in self._segmenter.masks(picture, boxes[:1]):
            picture = without(picture, area(mask, picture.size), self._grow)
        return Observation(media=(as_medium(picture),))
