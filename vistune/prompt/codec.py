"""`Codec`: coordinates as text, both directions.

A codec is a number format and two patterns, one for boxes and one for points, e.g. `[{x1},{y1},{x2},{y2}]`. Writing fills the
pattern; reading is the same pattern turned into a regular expression, so that what is written is read back, to the format's
precision. Coordinates are xyxy (or xy) in [0, 1] of the original medium.

    joiner   between the regions of one phrase inside one pair of brackets, `[0.1,0.2,0.3,0.4;0.5,0.6,0.7,0.8]` (Shikra);
             without it each region has brackets of its own
    phrase   how the words that a region is named by are written, `<ref>{label}</ref>` (Qwen-VL), `<p>{label}</p> ` (MiniGPT-v2)
    square   coordinates count in the picture after it was padded to a centred square, by whole pixels as the encoders do
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from vistune.errors import InputError
from vistune.sample import Box, Region

Size: TypeAlias = tuple[int, int]
Span: TypeAlias = tuple[int, int, dict[str, float]]

_FIELD = re.compile(r"\{(x1|y1|x2|y2|x|y)\}")
_SLACK = 0.005  # a square's coordinates are rounded where its padding ends, and may lie this far outside the picture


@dataclass(frozen=True)
class Codec:
    """Base of the codecs: subclasses say how one number is written (`number`), matched (`digits`) and read (`value`)."""

    box: str
    point: str
    joiner: str | None = None
    phrase: str | None = None
    square: bool = False

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

    @property
    def needs_size(self) -> bool:
        """Do coordinates depend on the picture's width and height in pixels?"""
        return self.square

    def encode(self, region: Region, size: Size | None = None) -> str:
        """A region as text. Raises `InputError` for a mask: masks are produced by a head, not written."""
        return self.encode_all([region], size)

    def encode_all(self, regions: Sequence[Region], size: Size | None = None) -> str:
        """The regions of one phrase as text, boxes or points, in one pair of brackets where the codec has a `joiner`."""
        if any(region.mask is not None for region in regions):
            raise InputError("a mask cannot be written as text: give its box, or use a recipe with a mask head")
        boxes = [region.box for region in regions if region.box is not None]
        points = [region.point for region in regions if region.point is not None]
        if boxes and points:
            return "".join(self.encode(region, size) for region in regions)
        return self._written(self.box, boxes, size) if boxes else self._written(self.point, points, size)

    def encode_box(self, box: Box, size: Size | None = None) -> str:
        """A box as text."""
        return self._written(self.box, [box], size)

    def decode(self, text: str, size: Size | None = None) -> list[Region]:
        """Every box and point in `text`, in order. What lies outside [0, 1] or is turned inside out is not a region."""
        return [region for _, _, region in self.located(text, size)]

    def located(self, text: str, size: Size | None = None) -> list[tuple[int, int, Region]]:
        """`decode`, with where in the text each region is written: (start, end, region)."""
        regions = []
        for start, end, found in self.spans(text):
            names = list(found)
            values = self._read(list(found.values()), size)
            # A number outside is no coordinate but something else in brackets, such as a list of years.
            if not all(0 <= value <= 1 for value in values):
                continue
            found = dict(zip(names, values, strict=True))
            if "x" in found:
                regions.append((start, end, Region(point=(found["x"], found["y"]))))
            elif found["x1"] <= found["x2"] and found["y1"] <= found["y2"]:
                regions.append((start, end, Region(box=(found["x1"], found["y1"], found["x2"], found["y2"]))))
        return regions

    def spans(self, text: str) -> Iterator[Span]:
        """(start, end, coordinates by name) of all that looks like a box or a point, whether it is one or not."""
        for group in self.groups(text):
            yield from group

    def groups(self, text: str) -> Iterator[list[Span]]:
        """The same by pairs of brackets: the regions of one phrase where the codec has a `joiner`, else one each."""
        for match in self._brackets.finditer(text):
            # Two steps, brackets and then the numbers inside: one expression cannot capture a group that repeats more than
            # once.
            inner = self._inner["boxes" if match["boxes"] is not None else "points"]
            begin, end = match.span("boxes" if match["boxes"] is not None else "points")
            found = list(inner.finditer(text, begin, end))
            yield [
                (
                    # With one region in the brackets they belong to it; with several nobody owns them, and each region is its
                    # own numbers.
                    match.start() if len(found) == 1 else one.start(),
                    match.end() if len(found) == 1 else one.end(),
                    {name: self.value(value) for name, value in one.groupdict().items()},
                )
                for one in found
            ]

    def texts(self, names: Sequence[str], values: Sequence[float], size: Size | None) -> list[str]:
        """The numbers of one region as text."""
        return [self.number(value) for value in (to_square(values, size) if self.square else values)]

    def _read(self, values: list[float], size: Size | None) -> list[float]:
        if not self.square:
            return values
        inside = from_square(values, size)
        # What a rounding put just beside the picture is moved to its edge; what lies far outside stays there and is refused
        # above.
        return [min(1.0, max(0.0, value)) if -_SLACK <= value <= 1 + _SLACK else value for value in inside]

    def _written(self, pattern: str, regions: Sequence[Sequence[float]], size: Size | None) -> str:
        first, inner, last = _cut(pattern)
        filled = []
        for values in regions:
            names = _FIELD.findall(inner)
            order = ("x1", "y1", "x2", "y2") if len(values) == 4 else ("x", "y")
            texts = dict(zip(order, self.texts(order, values, size), strict=True))
            assert set(names) == set(order), f"{pattern!r} does not name {order}"
            filled.append(_FIELD.sub(lambda match, texts=texts: texts[match[1]], inner))  # type: ignore[misc]
        if self.joiner is None:
            return "".join(first + text + last for text in filled)
        return first + self.joiner.join(filled) + last

    @cached_property
    def _inner(self) -> dict[str, re.Pattern[str]]:
        return {name: re.compile(self._expression(_cut(pattern)[1], True)) for name, pattern in self._patterns.items()}

    @cached_property
    def _brackets(self) -> re.Pattern[str]:
        return re.compile("|".join(self._group(name, pattern) for name, pattern in self._patterns.items()))

    @property
    def _patterns(self) -> dict[str, str]:
        return {"boxes": self.box, "points": self.point}

    def _group(self, name: str, pattern: str) -> str:
        first, inner, last = _cut(pattern)
        one = self._expression(inner, False)
        more = "" if self.joiner is None else f"(?:{re.escape(self.joiner)}{one})*"
        return f"{_literal(first)}(?P<{name}>{one}{more}){_literal(last)}"

    def _expression(self, pattern: str, named: bool) -> str:
        pieces = _FIELD.split(pattern)  # text, field, text, field, ..., text
        return "".join(
            (f"(?P<{piece}>{self.digits})" if named else f"(?:{self.digits})") if index % 2 else _literal(piece)
            for index, piece in enumerate(pieces)
        )


def to_square(values: Sequence[float], size: Size | None) -> list[float]:
    """xy or xyxy of a picture of `size` (width, height) on the square it is padded to, by whole pixels on the left and top.

    Values are snapped to the millionth of a pixel first, which takes back the division that made them of pixels.
    """
    side, (left, top) = _padding(size)
    width, height = size or (1, 1)
    sides, shift = (width, height) * (len(values) // 2), (left, top) * (len(values) // 2)
    return [(round(value * length, 6) + moved) / side for value, length, moved in zip(values, sides, shift, strict=True)]


def from_square(values: Sequence[float], size: Size | None) -> list[float]:
    """The inverse of `to_square`."""
    side, (left, top) = _padding(size)
    width, height = size or (1, 1)
    sides, shift = (width, height) * (len(values) // 2), (left, top) * (len(values) // 2)
    return [(value * side - moved) / length for value, length, moved in zip(values, sides, shift, strict=True)]


def _padding(size: Size | None) -> tuple[int, Size]:
    if size is None:
        raise InputError("coordinates on a padded square need the picture's size")
    width, height = size
    side = max(width, height)
    # Whole pixels on the left and top, the odd one on the right and bottom: as LLaVA's `expand2square` pads.
    return side, ((side - width) // 2, (side - height) // 2)


def _cut(pattern: str) -> tuple[str, str, str]:
    """What stands before the first coordinate, the coordinates, and what follows the last."""
    found = list(_FIELD.finditer(pattern))
    if not found:
        raise InputError(f"the pattern {pattern!r} holds none of {{x1}}, {{y1}}, {{x2}}, {{y2}}, {{x}}, {{y}}")
    return pattern[: found[0].start()], pattern[found[0].start() : found[-1].end()], pattern[found[-1].end() :]


def _literal(text: str) -> str:
    # Models write a blank more or less than they were taught; any amount of white space stands for one.
    return re.escape(text).replace(r"\ ", r"\s*")
