"""Coordinates as tokens of their own, one a number (Pix2Seq, arXiv 2109.10852; OFA; Shikra's token variant)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vistune.errors import InputError
from vistune.prompt.codec import Codec

_MOST, _WIDEST = 1 << 16, 20  # each token is a row of the language model's embedding


@dataclass(frozen=True)
class LocationTokens(Codec):
    """`<loc_0>` ... `<loc_{bins}>`: the nearest of `bins` + 1 evenly spaced values, in at least `width` digits.

    PaliGemma (arXiv 2407.07726): `bins=1023`, `separator=""`, `width=4`, `box="{y1}{x1}{y2}{x2}"`, `point="{y}{x}"`. Shikra's
    token variant: `name="bin"`, `box="<b_st>{x1} {y1} {x2} {y2}<b_ed>"`, `point="<p_st>{x} {y}<p_ed>"`, `joiner="<b_sep>"`.
    """

    box: str = "{x1}{y1}{x2}{y2}"
    point: str = "{x}{y}"
    bins: int = 1000
    name: str = "loc"
    separator: str = "_"
    width: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.bins <= _MOST or not 0 <= self.width <= _WIDEST:
            raise InputError(
                f"codecs.location_tokens: bins is {self.bins} and width {self.width}, expected 1 to {_MOST:,} tokens of at most"
                f" {_WIDEST} digits"
            )

    @property
    def digits(self) -> str:  # type: ignore[override]
        """One token, with the white space some tokenizers put around it."""
        return rf"\s*<{self.name}{self.separator}\d+>"

    def number(self, value: float) -> str:
        """`0.5` -> `<loc_500>`."""
        return self._token(round(value * self.bins))

    def value(self, text: str) -> float:
        """`<loc_500>` -> `0.5`."""
        return int(text.strip()[len(self.name) + len(self.separator) + 1 : -1]) / self.bins

    @property
    def tokens(self) -> list[str]:
        """All of them, those around them included; the tokenizer gets what it lacks."""
        around = re.findall(r"<[^<>{}\s]+>", f"{self.box} {self.point} {self.joiner or ''}")
        return [*dict.fromkeys(around), *(self._token(index) for index in range(self.bins + 1))]

    def _token(self, index: int) -> str:
        return f"<{self.name}{self.separator}{index:0{self.width}d}>"
