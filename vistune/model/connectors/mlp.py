"""A multi-layer perceptron, the connector of LLaVA-1.5 (arXiv 2310.03744, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class Mlp(Connector):
    """`depth` linear layers with GELU between them, all of the language model's width, or of the widths `hidden` and then that
    (PointLLM's 1024 and 2048)."""

    def __init__(self, width: int, out_width: int, depth: int = 2, hidden: Sequence[int] = ()) -> None:
        super().__init__()
        if depth < 1 or any(inner < 1 for inner in hidden):
            raise InputError(f"connectors.mlp.depth is {depth} and hidden {list(hidden)}, expected at least 1")
        widths = [width, *(hidden or [out_width] * (depth - 1)), out_width]
        layers: list[nn.Module] = [nn.Linear(width, widths[1])]
        for inner, outer in pairwise(widths[1:]):
            layers += [nn.GELU(), nn.Linear(inner, outer)]
        self.layers = nn.Sequential(*layers)

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as come in."""
        return n

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, L, H]`."""
        projected: Tensor = self.layers(features.x)
        return projected
