"""Queries that read the picture layer by layer, and an end token: mPLUG-Owl2's abstractor (arXiv 2311.04257)."""

from __future__ import annotations

from math import isqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors._sincos import line, raster
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features


class VisualAbstractor(Connector):
    """`depth` layers of `queries` attending to themselves and the features, projected; a learned end token stands last.

    `hidden` is the width inside the feed-forward networks. Positions are fixed sine-cosine tables; mPLUG-Owl (arXiv 2304.14178)
    and mPLUG-DocOwl have none. A class token in front of a square of patches is told by the number of tokens and has no
    position.
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        queries: int = 64,
        depth: int = 6,
        heads: int = 16,
        hidden: int = 2816,
        positions: bool = True,
    ) -> None:
        super().__init__()
        if width % 4 or width % heads:
            raise InputError(f"connectors.visual_abstractor: {heads} heads do not divide the width {width}")
        self.positions = positions
        self.queries = nn.Parameter(torch.randn(queries, width) * 0.02)
        self.layers = nn.ModuleList(AbstractorLayer(width, heads, hidden) for _ in range(depth))
        self.proj = nn.Linear(width, out_width)
        self.end = nn.Parameter(torch.randn(out_width) * 0.02)

    def num_tokens(self, n: int, grid: tuple[int, int] | None) -> int:
        """One a query, and the end token."""
        return len(self.queries) + 1

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, queries + 1, H]`."""
        return self.projected(self.abstract(features))

    def abstract(self, features: Features) -> Tensor:
        """`[N, L, D]` -> what the queries have read, `[N, queries, D]`."""
        x, width = features.x, features.x.shape[2]
        places, patches = x.new_zeros(1, width), x.new_zeros(1, width)
        if self.positions:
            places = line(torch.arange(len(self.queries), device=x.device), width)
            patches = _patch_places(features, width)
        places, patches = places.expand(len(self.queries), -1), patches.expand(x.shape[1], -1)
        queries = self.queries.expand(len(x), -1, -1)
        for layer in self.layers:
            queries = layer(queries, x, places, patches)
        return queries

    def projected(self, queries: Tensor) -> Tensor:
        """`[N, queries, D]` -> tokens of the language model's width, the end token last."""
        return torch.cat([self.proj(queries), self.end.expand(len(queries), 1, -1)], dim=1)


class AbstractorLayer(nn.Module):
    """Cross-attention and a gated feed-forward network. The residual is the normed query, not the query."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_query, self.norm_features, self.norm_hidden = (nn.LayerNorm(width) for _ in range(3))
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.gate, self.up = nn.Linear(width, hidden), nn.Linear(width, hidden)
        self.norm_gated = nn.LayerNorm(hidden, eps=1e-6)
        self.down = nn.Linear(hidden, width)

    def forward(self, queries: Tensor, features: Tensor, places: Tensor, patches: Tensor) -> Tensor:
        """`queries [N, K, D]` at `places [K, D]`, `features [N, L, D]` at `patches [L, D]` -> queries."""
        queries = self.norm_query(queries)
        seen = torch.cat([queries, self.norm_features(features)], dim=1)
        parts = self.query(queries + places), self.key(seen + torch.cat([places, patches])), self.value(seen)
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        read = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        hidden: Tensor = queries + self.out(read)
        normed = self.norm_hidden(hidden)
        added: Tensor = self.down(self.norm_gated(F.silu(self.gate(normed)) * self.up(normed)))
        return hidden + added


def _patch_places(features: Features, width: int) -> Tensor:
    """`[L, D]`: the patches' positions; zeros for a class token in front of them."""
    if features.grid is not None:
        return raster(features.grid, width, features.x.device)
    side = isqrt(features.x.shape[1] - 1)
    if side * side != features.x.shape[1] - 1:
        raise InputError(
            "connectors.visual_abstractor needs patches in a grid, with one class token in front of a square or none"
        )
    return F.pad(raster((side, side), width, features.x.device), (0, 0, 1, 0))
