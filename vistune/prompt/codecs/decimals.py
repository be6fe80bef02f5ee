"""Coordinates as decimal fractions, `[0.123,0.456,0.789,0.900]` (Shikra, arXiv 2306.15195, section 3)."""

from __future__ import annotations

from dataclasses import dataclass

from vistune.prompt.codec import Codec


@dataclass(frozen=True)
class Decimals(Codec):
    """`places` decimals, rounded."""

    box: str = "[{x1},{y1},{x2},{y2}]"
    point: str = "[{x},{y}]"
    places: int = 3

    digits = r"\d\.?\d*"

    def number(self, value: float) -> str:
        """`0.5` -> `0.500`."""
        return f"{value:.{self.places}f}"

    def value(self, text: str) -> float:
        """`0.500` -> `0.5`."""
        return float(text)
