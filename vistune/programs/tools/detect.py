"""`detect`: boxes around named things."""

from __future__ import annotations

from vistune.data.media.image import load_image
from vistune.draw import draw_regions
from vistune.programs.detectors.base import Detector
from vistune.programs.observation import Observation
from vistune.programs.pictures.areas import as_medium
from vistune.programs.tool import Image, ToolPart
from vistune.spec import Spec, build

DEFAULT: Spec = "segmenter_and_encoder"


def open_detector(spec: Spec) -> Detector:
    """A detector from its spec."""
    detector: Detector = build("vistune.programs.detectors", spec, Detector)
    return detector


class Detect(ToolPart):
    """An open-vocabulary detector (`by`, a spec) as a tool. `drawn`: also give the picture with its boxes drawn in."""

    def __init__(self, by: Spec = DEFAULT, drawn: bool = False, name: str = "Detect the Give Object") -> None:
        self.name, self.use = name, "Finds a named thing in a picture."
        self._detector, self._drawn = open_detector(by), drawn

    def __call__(self, image: Image, what: str) -> Observation:
        """Boxes, or the sentence that there is none."""
        picture = load_image(image)
        regions = tuple(found.region for found in self._detector.find(picture, [what]))
        if not regions:
            return Observation(f"there is no {what}")
        return Observation(media=(as_medium(draw_regions(picture, regions)),) if self._drawn else (), regions=regions)
