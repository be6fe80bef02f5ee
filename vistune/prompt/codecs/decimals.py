"""Coordinates as decimal fractions, `[0.123,0.456,0.789,0.900]` (Shikra, arXiv 2306.15195, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vistune.prompt.codec import Codec, Size


@dataclass(frozen=True)
class Decimals(Codec):
    """`places` decimals, rounded; boxes first to `first` decimals, where given.

    Shikra: `square=True, joiner=";"`, and `first=3` where fewer places than its three are written.
    """

    box: str = "[{x1},{y1},{x2},{y2}]"
    point: str = "[{x},{y}]"
    places: int = 3
    first: int | None = None

    digits = r"\d(?:\.\d*)?"

    def number(self, value: float) -> str:
        """`0.5` -> `0.500`."""
        return f"{value:.{self.places}f}"

    def value(self, text: str) -> float:
        """`0.500` -> `0.5`."""
        return float(text)

    def texts(self, names: Sequence[str], values: Sequence[float], size: Size | None) -> list[str]:
        """As the base writes them; two roundings are not one: 0.3049 is 0.30, by way of 0.305 it may be 0.31."""
        if self.first is None or len(values) != 4:
            return super().texts(names, values, size)
        return super().texts(names, [round(value, self.first) for value in values], size)
