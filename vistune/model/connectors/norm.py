"""A layer norm in front of what reads an encoder's features."""

from __future__ import annotations

from torch import Tensor, nn

from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class Norm(Connector):
    """Layer norm with scale and shift, token by token."""

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=eps)

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as come in."""
        return n

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, L, D]`."""
        normed: Tensor = self.norm(features.x)
        return normed
