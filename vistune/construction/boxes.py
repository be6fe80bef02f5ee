"""How published pipelines write boxes into text, and how they are read back.

A notation turns an xyxy box in [0, 1] of the original picture into text and finds such texts again, by the codecs that models
write with. Reading is strict where theirs is lenient: what looks like a box and is reversed or out of range is an error here.

    unit         [0.123,0.456,0.789,0.900]            LLaVA, Shikra, SVIT (three decimals)
    thousandths  [123, 456, 789, 900]                 Ferret
    pixels       X: 12 Y: 30 Width: 40 Height: 8      LRV-Instruction, Visual Genome
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from vistune.prompt.codec import Codec, from_square, to_square
from vistune.prompt.codecs.decimals import Decimals
from vistune.prompt.codecs.integers import Integers
from vistune.sample import Box

NotationName: TypeAlias = Literal["unit", "thousandths", "pixels"]

_DECIMAL, _WHOLE = r"-?\d+(?:\.\d+)?", r"-?\d+"
_PIXELS = re.compile(
    r"\s*".join(("X:", f"({_DECIMAL})", "Y:", f"({_DECIMAL})", "Width:", f"({_DECIMAL})", "Height:", f"({_DECIMAL})"))
)


class _AnyDecimals(Decimals):
    """Finds what looks like decimals, spaced as a writer likes, so that it can be refused."""

    digits = rf"\s*{_DECIMAL}\s*"


class _AnyWhole(Integers):
    """The same for whole numbers."""

    digits = rf"\s*{_WHOLE}\s*"


_CODECS: dict[str, Codec] = {
    "unit": _AnyDecimals(),
    "thousandths": _AnyWhole("[{x1}, {y1}, {x2}, {y2}]", "[{x}, {y}]", scale=1000, top=999),
}


class BoxError(ValueError):
    """A text that looks like a box is none."""


@dataclass(frozen=True, slots=True)
class Notation:
    """A way to write boxes. `size` (width, height) is needed by `pixels` and when `square` is set.

    `square`: the coordinates refer to the picture after it was padded to a centred square (Shikra, SVIT).
    """

    name: NotationName = "unit"
    size: tuple[int, int] | None = None
    square: bool = False

    def write(self, box: Box) -> str:
        """The text for a box."""
        if self.name == "pixels":
            width, height = self._size()
            x1, y1, x2, y2 = box[0] * width, box[1] * height, box[2] * width, box[3] * height
            return f"X: {x1:.0f} Y: {y1:.0f} Width: {x2 - x1:.0f} Height: {y2 - y1:.0f}"
        shown = self._pad(box) if self.square else box
        return _CODECS[self.name].encode_box(shown)

    def find(self, text: str) -> Iterator[tuple[int, int, Box]]:
        """Yield (start, end, box) for every box in a text. Raises `BoxError` for one that is reversed or out of range."""
        for start, end, box in self._spans(text):
            yield start, end, self._checked(text[start:end], box)

    def _spans(self, text: str) -> Iterator[tuple[int, int, Box]]:
        if self.name != "pixels":
            for start, end, found in _CODECS[self.name].spans(text):
                if "x1" in found:
                    yield start, end, (found["x1"], found["y1"], found["x2"], found["y2"])
            return
        for match in _PIXELS.finditer(text):
            width, height = self._size()
            x, y, across, down = (float(group) for group in match.groups())
            yield match.start(), match.end(), (x / width, y / height, (x + across) / width, (y + down) / height)

    def _checked(self, text: str, box: Box) -> Box:
        a, b, c, d = box
        slack = 1 / max(self._size()) if self.name == "pixels" else 0.0
        if self.square:
            slack, (a, b, c, d) = 0.002, self._unpad((a, b, c, d))
        if not (-slack <= a < c <= 1 + slack and -slack <= b < d <= 1 + slack):
            raise BoxError(f"{text} is not a box inside the picture")
        return max(0.0, a), max(0.0, b), min(1.0, c), min(1.0, d)

    def _size(self) -> tuple[int, int]:
        if self.size is None:
            raise ValueError("this notation needs the picture's size")
        return self.size

    def _pad(self, box: Box) -> Box:
        x1, y1, x2, y2 = to_square(box, self._size())
        return x1, y1, x2, y2

    def _unpad(self, box: tuple[float, ...]) -> Box:
        x1, y1, x2, y2 = from_square(box, self._size())
        return x1, y1, x2, y2


def overlap(first: Box, second: Box) -> float:
    """Intersection over union."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return shared / (areas - shared)
