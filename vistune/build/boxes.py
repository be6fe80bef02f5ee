"""How published pipelines write boxes into text, and how they are read back.

A notation turns an xyxy box in [0, 1] of the original picture into text and finds such texts again. Reading is strict:
a reversed or out-of-range box is an error, never repaired.

    unit         [0.123,0.456,0.789,0.900]            LLaVA, Shikra, SVIT (three decimals)
    thousandths  [123, 456, 789, 900]                 Ferret
    pixels       X: 12 Y: 30 Width: 40 Height: 8      LRV-Instruction, Visual Genome
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from vistune.sample import Box

NotationName: TypeAlias = Literal["unit", "thousandths", "pixels"]

_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_PATTERNS = {
    "unit": re.compile(rf"\[{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}\]"),
    "thousandths": re.compile(r"\[\s*(-?\d+)\s*,\s*(-?\d+)\s*,\s*(-?\d+)\s*,\s*(-?\d+)\s*\]"),
    "pixels": re.compile(rf"X:{_NUMBER}Y:{_NUMBER}Width:{_NUMBER}Height:\s*(-?\d+(?:\.\d+)?)"),
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
        if self.name == "thousandths":
            return "[" + ", ".join(str(min(999, int(value * 1000))) for value in shown) + "]"
        return "[" + ",".join(f"{value:.3f}" for value in shown) + "]"

    def find(self, text: str) -> Iterator[tuple[int, int, Box]]:
        """Yield (start, end, box) for every box in a text. Raises `BoxError` for one that is reversed or out of range."""
        for match in _PATTERNS[self.name].finditer(text):
            values = tuple(float(group) for group in match.groups())
            yield match.start(), match.end(), self._read(match.group(), values)

    def _read(self, text: str, values: tuple[float, ...]) -> Box:
        a, b, c, d = values
        if self.name == "pixels":
            width, height = self._size()
            a, b, c, d = a / width, b / height, (a + c) / width, (b + d) / height
        elif self.name == "thousandths":
            a, b, c, d = a / 1000, b / 1000, c / 1000, d / 1000
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
        width, height = self._size()
        side = max(width, height)
        left, top = (side - width) / 2, (side - height) / 2
        x1, y1, x2, y2 = box
        return (x1 * width + left) / side, (y1 * height + top) / side, (x2 * width + left) / side, (y2 * height + top) / side

    def _unpad(self, box: tuple[float, ...]) -> tuple[float, float, float, float]:
        width, height = self._size()
        side = max(width, height)
        left, top = (side - width) / 2, (side - height) / 2
        x1, y1, x2, y2 = box
        return (
            (x1 * side - left) / width,
            (y1 * side - top) / height,
            (x2 * side - left) / width,
            (y2 * side - top) / height,
        )


def overlap(first: Box, second: Box) -> float:
    """Intersection over union."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return shared / (areas - shared)
