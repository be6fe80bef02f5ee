"""Signal tokens -> the condition of a painter: the output projection of NExT-GPT (arXiv 2309.05519, section 3)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from vistune.errors import InputError


class OutputProjection(nn.Module):
    """A transformer whose source are the signal tokens and whose target are `queries` learned ones, projected.

    `inner` wide, `layers` deep on each side, pre-norm, without positions and dropout.
    """

    def __init__(
        self, width: int, out_width: int, queries: int = 77, inner: int = 512, layers: int = 4, heads: int = 4
    ) -> None:
        super().__init__()
        if inner % heads:
            raise InputError(f"heads.signal_tokens: {heads} heads do not divide the inner width {inner}")
        self.enter = nn.Linear(width, inner)
        self.queries = nn.Parameter(torch.randn(queries, inner))
        sizes: dict[str, Any] = {"dim_feedforward": 4 * inner, "dropout": 0.0, "norm_first": True, "batch_first": True}
        layer = nn.TransformerEncoderLayer(inner, heads, **sizes)
        encoder = nn.TransformerEncoder(layer, layers, nn.LayerNorm(inner), enable_nested_tensor=False)
        self.transformer = nn.Transformer(inner, heads, layers, layers, custom_encoder=encoder, **sizes)
        self.out = nn.Linear(inner, out_width)

    def forward(self, states: Tensor) -> Tensor:
        """`[n, signals, H]`, each a hidden state plus the embedding of its token -> `[n, queries, out_width]`."""
        condition: Tensor = self.out(self.transformer(self.enter(states), self.queries.expand(len(states), -1, -1)))
        return condition


def distance_each(condition: Tensor, target: Tensor) -> Tensor:
    """The Euclidean distance over channels, averaged over tokens: `[n, K, C]` twice -> `[n]`. No square is taken."""
    each: Tensor = torch.linalg.vector_norm(condition - target, dim=-1).mean(dim=1)
    return each
