"""Ferret's coordinates: thousandths counted from whole pictures' last pixels (You et al., arXiv 2310.07704, released code)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vistune.errors import InputError
from vistune.prompt.codec import Codec, Size


@dataclass(frozen=True)
class Ferret(Codec):
    """`[x1, y1, x2, y2]`: pixels, at most the last one, times 1000 over the picture's side, rounded down.

    `order`: "training" divides first (19 of 38 pixels is 499), "serving" multiplies first (500), as the released code does.
    """

    box: str = "[{x1}, {y1}, {x2}, {y2}]"
    point: str = "[{x}, {y}]"
    order: Literal["training", "serving"] = "training"

    @property
    def needs_size(self) -> bool:
        """Always: the last pixel is another thousandth in every picture."""
        return True

    def value(self, text: str) -> float:
        """`500` -> `0.5`; endless digits are infinite and no error, since a model may write them."""
        return float(text) / 1000

    def texts(self, names: Sequence[str], values: Sequence[float], size: Size | None) -> list[str]:
        """The numbers of one region; pixels are snapped to a millionth, which takes back their division by the side."""
        if size is None:
            raise InputError("Ferret's coordinates need the picture's size")
        numbers = []
        for value, side in zip(values, size * (len(values) // 2), strict=True):
            # The last pixel is `side - 1`: a box that reaches the edge is written as 999 thousandths or less, never as 1000.
            pixel = min(max(round(value * side, 6), 0), side - 1)
            numbers.append(int(pixel * (1000.0 / side)) if self.order == "training" else int(1000 * pixel / side))
        return [str(number) for number in numbers]
