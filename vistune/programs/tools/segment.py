"""`segment`: the mask of a named thing, or of what lies in a box."""

from __future__ import annotations

from vistune.data.media.image import load_image
from vistune.draw import draw_regions
from vistune.programs.observation import Observation
from vistune.programs.pictures.areas import as_medium
from vistune.programs.segmenter import Segmenter
from vistune.programs.tool import Image, ToolPart
from vistune.programs.tools.detect import DEFAULT, open_detector
from vistune.spec import Spec


class Segment(ToolPart):
    """A detector finds boxes (`by`), a promptable segmenter (`segmenter`) makes masks of them."""

    def __init__(
        self, by: Spec = DEFAULT, segmenter: str = "builtin:sam", drawn: bool = False, name: str = "Segment the given object"
    ) -> None:
        self.name, self.use = name, "Outlines a named thing in a picture."
        self._detector, self._segmenter, self._drawn = open_detector(by), Segmenter(segmenter), drawn

    def __call__(self, image: Image, what: str) -> Observation:
        """Masks, or the sentence that there is none."""
        picture = load_image(image)
        boxes = [found.region for found in self._detector.find(picture, [what])]
        if not boxes:
            return Observation(f"there is no {what}")
        masks = tuple(self._segmenter.masks(picture, boxes))
        return Observation(media=(as_medium(draw_regions(picture, masks)),) if self._drawn else (), regions=masks)
