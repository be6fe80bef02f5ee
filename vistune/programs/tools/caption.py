"""`caption`: what a picture shows, in words."""

from __future__ import annotations

from vistune.programs.eyes import Eyes
from vistune.programs.tool import Image, ToolPart


class Caption(ToolPart):
    """A model of this package, asked for a description. `question` is put in the words it was tuned on."""

    def __init__(self, model: str, question: str = "Describe the image.", name: str = "Get Photo Description") -> None:
        self.name, self.use = name, "Says what a picture shows."
        self._eyes, self._question = Eyes(model), question

    def __call__(self, image: Image) -> str:
        """The description."""
        return self._eyes.answer(self._question, image).text
