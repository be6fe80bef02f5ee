"""`paint`: a picture from words."""

from __future__ import annotations

from vistune.programs.painters.base import open_painter
from vistune.programs.tool import Image as Picture
from vistune.programs.tool import ToolPart
from vistune.spec import Spec


class Paint(ToolPart):
    """A painter (`by`, a spec) as a tool."""

    def __init__(self, by: Spec, name: str = "Generate Image From User Input Text") -> None:
        self.name, self.use = name, "Makes a picture from words."
        self._painter = open_painter(by)

    def __call__(self, text: str) -> Picture:
        """The picture."""
        return self._painter.paint("image", text)
