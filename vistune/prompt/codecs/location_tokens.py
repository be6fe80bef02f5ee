"""Coordinates as tokens of their own, one a number (Pix2Seq, arXiv 2109.10852; OFA; Shikra's token variant)."""

from __future__ import annotations

from dataclasses import dataclass

from vistune.errors import InputError
from vistune.prompt.codec import Codec


@dataclass(frozen=True)
class LocationTokens(Codec):
    """`<loc_0>` ... `<loc_{bins}>`: the nearest of `bins` + 1 evenly spaced values."""

    box: str = "{x1}{y1}{x2}{y2}"
    point: str = "{x}{y}"
    bins: int = 1000
    name: str = "loc"

    def __post_init__(self) -> None:
        if self.bins < 1:
            raise InputError(f"codecs.location_tokens.bins is {self.bins}, expected a positive number")

    @property
    def digits(self) -> str:  # type: ignore[override]
        """One token, with the white space some tokenizers put around it."""
        return rf"\s*<{self.name}_\d+>"

    def number(self, value: float) -> str:
        """`0.5` -> `<loc_500>`."""
        return f"<{self.name}_{round(value * self.bins)}>"

    def value(self, text: str) -> float:
        """`<loc_500>` -> `0.5`."""
        return int(text.strip()[len(self.name) + 2 : -1]) / self.bins

    @property
    def tokens(self) -> list[str]:
        """All of them; the tokenizer gets what it lacks."""
        return [f"<{self.name}_{index}>" for index in range(self.bins + 1)]
