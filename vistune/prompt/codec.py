"""`Codec`: coordinates as text, both directions.

A codec is a number format and two patterns, one for boxes and one for points, e.g. `[{x1},{y1},{x2},{y2}]`. Writing fills the
pattern; reading is the same pattern turned into a regular expression, so that what is written is read back, to the format's
precision. Coordinates are xyxy (or xy) in [0, 1] of the original medium.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from vistune.errors import InputError
from vistune.sample import Box, Region

_FIELD = re.compile(r"\{(x1|y1|x2|y2|x|y)\}")


@dataclass(frozen=True)
class Codec:
    """Base of the codecs: subclasses say how one number is written (`number`), matched (`digits`) and read (`value`)."""

    box: str
    point: str

    digits = r"\d+"

    def number(self, value: float) -> str:
        """One coordinate as text."""
        raise TypeError(f"{type(self).__name__} does not say how a number is written")

    def value(self, text: str) -> float:
        """The inverse of `number`; anything the model may write, also outside [0, 1]."""
        raise TypeError(f"{type(self).__name__} does not say how a number is read")

    @property
    def tokens(self) -> list[str]:
        """Tokens of its own that the tokenizer must have."""
        return []

    def encode(self, region: Region) -> str:
        """A region as text. Raises `InputError` for a mask: masks are produced by a head, not written."""
        if region.mask is not None:
            raise InputError("a mask cannot be written as text: give its box, or use a recipe with a mask head")
        if region.box is not None:
            return self.encode_box(region.box)
        assert region.point is not None
        return self._filled(self.point, ("x", "y"), region.point)

    def encode_box(self, box: Box) -> str:
        """A box as text."""
        return self._filled(self.box, ("x1", "y1", "x2", "y2"), box)

    def decode(self, text: str) -> list[Region]:
        """Every box and point in `text`, in order. What lies outside [0, 1] or is turned inside out is not a region."""
        regions = []
        for _, _, found in self.spans(text):
            if not all(0 <= value <= 1 for value in found.values()):
                continue
            if "x" in found:
                regions.append(Region(point=(found["x"], found["y"])))
            elif found["x1"] <= found["x2"] and found["y1"] <= found["y2"]:
                regions.append(Region(box=(found["x1"], found["y1"], found["x2"], found["y2"])))
        return regions

    def spans(self, text: str) -> Iterator[tuple[int, int, dict[str, float]]]:
        """(start, end, coordinates by name) of all that looks like a box or a point, whether it is one or not."""
        for match in self._pattern.finditer(text):
            found = {name: self.value(value) for name, value in match.groupdict().items() if value is not None}
            yield match.start(), match.end(), found

    def _filled(self, pattern: str, names: Sequence[str], values: Sequence[float]) -> str:
        filled = dict(zip(names, map(self.number, values), strict=True))
        return _FIELD.sub(lambda match: filled[match[1]], pattern)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(f"{self._expression(self.box)}|{self._expression(self.point)}")

    def _expression(self, pattern: str) -> str:
        pieces = _FIELD.split(pattern)  # text, field, text, field, ..., text
        return "".join(
            f"(?P<{piece}>{self.digits})" if index % 2 else re.escape(piece).replace(r"\ ", r"\s*")
            for index, piece in enumerate(pieces)
        )
