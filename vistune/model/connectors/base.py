"""The contract of connectors: `Features` -> tokens. Connectors can be chained."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace

from torch import Tensor

from vistune.model.features import Features, Grid, Layout
from vistune.model.part import Part


@dataclass(frozen=True, slots=True)
class TextContext:
    """What a connector may read beside features of N inputs: the question that shows each (`texts`), and their modality.

    A connector that reads the texts brings its own tokenizer; one that several modalities share can tell them by `kind`.
    """

    texts: tuple[str, ...]
    kind: str = "image"


class Connector(Part):
    """`Features` -> `[N, K, H]`. `text` is always offered; most connectors ignore it.

    One whose tokens depend on it sets `reads_text`: a picture's tokens are then not those of another question about it.
    Work that concerns all inputs of a medium together (tiles, frames) is done by `join`; a connector that changes the number of
    inputs there, or what is true of their layout, says so in `layout_after`.
    """

    reads_text: bool = False

    @abstractmethod
    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """K for `n` encoder tokens laid out as `grid`: a pure function."""

    @abstractmethod
    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """Features of N inputs -> `[N, K, H]`."""

    def layout_after(self, layout: Layout) -> Layout:
        """The layout of what `forward` and `join` give for a medium of `layout`: a pure function."""
        count = self.num_tokens(layout.tokens, layout.grid)
        # Where the number of tokens changes, they are no longer patches in a grid.
        return replace(layout, tokens=count, grid=layout.grid if count == layout.tokens else None)

    def join(self, tokens: Tensor, layout: Layout) -> Tensor:
        """The tokens of one medium's T inputs `[T, K, H]` -> `[T', K', H]` as `layout_after` says: unchanged."""
        return tokens
