"""Queries and features in one transformer: the visual prompt of LLaMA-Adapter V2 (arXiv 2304.15010)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


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
        self.blocks = nn.ModuleList(Block(inner, heads) for _ in range(depth))
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


class Block(nn.Module):
    """A block of a vision transformer: attention and a four times wider network, each behind a norm."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention, self.norm_network = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """`[N, L, D]` -> `[N, L, D]`."""
        parts = self.query_key_value(self.norm_attention(x)).chunk(3, dim=-1)
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        x = x + self.out(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))
        added: Tensor = self.network(self.norm_network(x))
        return x + added
