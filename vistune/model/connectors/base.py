"""The contract of connectors."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn

from vistune.model.features import Features, Grid, Tiling


@dataclass(frozen=True, slots=True)
class TextContext:
    """The words of the question that shows each of N inputs: `texts`. A connector that reads them brings its own tokenizer."""

    texts: tuple[str, ...]


class Connector(nn.Module):
    """`Features` -> `[N, K, H]`, H the language model's width. `text` is always offered; most connectors ignore it.

    One whose tokens depend on it sets `reads_text`: a picture's tokens are then not those of another question about it.
    """

    reads_text = False

    @abstractmethod
    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """K for `n` encoder tokens laid out as `grid`: a pure function."""

    @abstractmethod
    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """Features of N inputs -> `[N, K, H]`."""

    def count(self, n: int, grid: Grid | None, tiling: Tiling | None) -> int:
        """Tokens of one medium whose inputs give `n` encoder tokens each: those of all its inputs, as `join` lays them."""
        return self.num_tokens(n, grid) * (1 if tiling is None else tiling.inputs)

    def join(self, tokens: Tensor, grid: Grid | None, tiling: Tiling | None) -> Tensor:
        """The tokens of one medium's T inputs `[T, K, H]` -> `[count, H]`: one input behind the other."""
        return tokens.flatten(0, 1)
