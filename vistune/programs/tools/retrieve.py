"""`retrieve`: the pictures of a folder that fit words best."""

from __future__ import annotations

from vistune.programs.gallery import Gallery
from vistune.programs.observation import Observation
from vistune.programs.tool import ToolPart


class Retrieve(ToolPart):
    """Search in a folder of pictures by a dual encoder. `count`: pictures given."""

    def __init__(self, folder: str, encoder: str = "builtin:clip", count: int = 1, name: str = "Find Picture") -> None:
        self.name, self.use = name, "Finds a picture of what the words say."
        self._gallery, self._count = Gallery(folder, encoder), count

    def __call__(self, text: str) -> Observation:
        """The pictures, best first."""
        return Observation(media=tuple(self._gallery.find(text, self._count)))
