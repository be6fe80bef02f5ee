"""One linear layer, the connector of LLaVA (arXiv 2304.08485, section 4.1)."""

from __future__ import annotations

from torch import Tensor, nn

from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class Linear(Connector):
    """`x W + b`, token by token."""

    def __init__(self, width: int, out_width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, out_width)

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as come in."""
        return n

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, L, H]`."""
        projected: Tensor = self.proj(features.x)
        return projected
