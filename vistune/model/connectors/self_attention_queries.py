"""Queries and features in one transformer: the visual prompt of LLaMA-Adapter V2 (arXiv 2304.15010)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid
from vistune.model.transformer_block import TransformerBlock


class SelfAttentionQueries(Connector):
    """`queries` in front of the projected features, `depth` pre-norm blocks over both; the queries' rows are projected.

    `inner` is the width of the blocks. Linear layers to and from it are followed by a norm.
    """

    def __init__(
        self, width: int, out_width: int, queries: int = 10, depth: int = 8, heads: int = 16, inner: int = 768
    ) -> None:
        super().__init__()
        if inner % heads:
            raise InputError(f"connectors.self_attention_queries: {heads} heads do not divide the inner width {inner}")
        self.enter = nn.Sequential(nn.Linear(width, inner), nn.LayerNorm(inner))
        self.queries = nn.Parameter(torch.randn(queries, inner))
        self.blocks = nn.ModuleList(TransformerBlock(inner, heads) for _ in range(depth))
        self.leave = nn.Sequential(nn.Linear(inner, out_width), nn.LayerNorm(out_width))

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """One a query."""
        return len(self.queries)

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, queries, H]`."""
        x = torch.cat([self.queries.expand(len(features.x), -1, -1), self.enter(features.x)], dim=1)
        for block in self.blocks:
            x = block(x)
        prompt: Tensor = self.leave(x[:, : len(self.queries)])
        return prompt
