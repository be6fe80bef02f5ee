"""`answer`: a question about a picture, answered by a model of this package."""

from __future__ import annotations

from vistune.programs.eyes import Eyes
from vistune.programs.observation import Observation
from vistune.programs.tool import Image, ToolPart


class Answer(ToolPart):
    """The model's answer, with the regions and media it gives."""

    def __init__(self, model: str, name: str = "Answer Question About The Image") -> None:
        self.name, self.use = name, "Answers a question about a picture."
        self._eyes = Eyes(model)

    def __call__(self, image: Image, question: str) -> Observation:
        """The answer."""
        found = self._eyes.answer(question, image)
        return Observation(found.text, found.media, found.regions)
