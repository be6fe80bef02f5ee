"""Embeddings of a joint space brought to length one, then a linear layer: the entrance of ImageBind-LLM (arXiv 2309.03905)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class UnitLinear(Connector):
    """`W x / |x| + b`, token by token. Made of this layer, a weighted mean of media is that of their embeddings."""

    def __init__(self, width: int, out_width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, out_width)

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as come in."""
        return n

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, L, H]`."""
        projected: Tensor = self.proj(F.normalize(features.x, dim=-1))
        return projected
