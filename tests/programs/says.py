"""A tool that stands where a tuned model would: it says what the test wants of it."""

from __future__ import annotations

from vistune.programs.tool import Image, ToolPart


class Says(ToolPart):
    """Says `text` about any picture."""

    def __init__(self, text: str, name: str = "Says") -> None:
        self.name, self.use, self._text = name, "Says something about a picture.", text

    def __call__(self, image: Image, question: str = "") -> str:
        """The text."""
        return self._text
