"""A multi-layer perceptron, the connector of LLaVA-1.5 (arXiv 2310.03744, section 3.3)."""

from __future__ import annotations

from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class Mlp(Connector):
    """`depth` linear layers with GELU between them, all of the language model's width."""

    def __init__(self, width: int, out_width: int, depth: int = 2) -> None:
        super().__init__()
        if depth < 1:
            raise InputError(f"connectors.mlp.depth is {depth}, expected at least 1")
        layers: list[nn.Module] = [nn.Linear(width, out_width)]
        for _ in range(depth - 1):
            layers += [nn.GELU(), nn.Linear(out_width, out_width)]
        self.layers = nn.Sequential(*layers)

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as come in."""
        return n

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, L, H]`."""
        projected: Tensor = self.layers(features.x)
        return projected
