"""`tag`: which names of a vocabulary fit a picture (as RAM tags it for BuboGPT and VideoChat)."""

from __future__ import annotations

from collections.abc import Sequence

from vistune.data.media.image import load_image
from vistune.programs.tool import Image, ToolPart
from vistune.programs.tools.detect import DEFAULT, open_detector
from vistune.spec import Spec


class Tag(ToolPart):
    """The names of a vocabulary that a detector (`by`) finds in the picture, surest first."""

    def __init__(self, names: Sequence[str], by: Spec = DEFAULT, name: str = "Tag Photo") -> None:
        self.name, self.use = name, "Names the things in a picture."
        self._names, self._detector = tuple(names), open_detector(by)

    def __call__(self, image: Image) -> str:
        """The names, with commas between them."""
        found = self._detector.find(load_image(image), self._names)
        return ", ".join(dict.fromkeys(one.region.label or "" for one in found))
