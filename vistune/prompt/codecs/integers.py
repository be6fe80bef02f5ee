"""Coordinates as whole numbers: 0-100 in MiniGPT-v2's brackets, 0-999 in Qwen-VL's or Ferret's, as the arguments say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vistune.errors import InputError
from vistune.prompt.codec import Codec


@dataclass(frozen=True)
class Integers(Codec):
    """`int(value * scale)`, at most `top`.

    MiniGPT-v2 (arXiv 2310.09478): the defaults. Qwen-VL (arXiv 2308.12966): `box="({x1},{y1}),({x2},{y2})"`,
    `point="({x},{y})"`, `scale=1000`, `top=999`. Ferret counts from pixels, see `ferret`.
    """

    box: str = "{<{x1}><{y1}><{x2}><{y2}>}"
    point: str = "{<{x}><{y}>}"
    scale: int = 100
    top: int | None = None
    rounding: Literal["floor", "nearest"] = "floor"

    def __post_init__(self) -> None:
        if self.scale < 1:
            raise InputError(f"codecs.integers.scale is {self.scale}, expected a positive number")

    def number(self, value: float) -> str:
        """`0.5` -> `50`."""
        # `int` cuts off: MiniGPT-v2 and Qwen-VL do so in their data, and rounding would shift half of all numbers by one.
        scaled = int(value * self.scale) if self.rounding == "floor" else round(value * self.scale)
        return str(scaled if self.top is None else min(scaled, self.top))

    def value(self, text: str) -> float:
        """`50` -> `0.5`; endless digits are infinite and no error, since a model may write them."""
        return float(text) / self.scale
