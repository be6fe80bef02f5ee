"""One cross-attention from a grid of queries to the grid of patches: Qwen-VL's adapter (arXiv 2308.12966, section 2.1)."""

from __future__ import annotations

from math import isqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors._sincos import raster
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid

_EPS = 1e-6


class PositionAwareResampler(Connector):
    """`queries` (a square number) of the language model's width, each at its place of the picture.

    Queries and keys carry two-dimensional sine-cosine positions, values none; the table of the query grid is resized to the
    patches' grid, so that a larger picture keeps its layout. Behind the attention stand a norm and one matrix.
    """

    def __init__(self, width: int, out_width: int, queries: int = 256, heads: int = 32) -> None:
        super().__init__()
        side = isqrt(queries)
        if side * side != queries:
            raise InputError(f"connectors.position_aware_resampler.queries is {queries}, expected a square number")
        if out_width % 4 or out_width % heads:
            raise InputError(f"connectors.position_aware_resampler: {heads} heads do not divide the width {out_width}")
        self.side = side
        self.query = nn.Parameter(torch.randn(queries, out_width) * 0.02)
        self.key_value = nn.Identity() if width == out_width else nn.Linear(width, out_width, bias=False)
        self.norm_query = nn.LayerNorm(out_width, eps=_EPS)
        self.norm_key_value = nn.LayerNorm(out_width, eps=_EPS)
        self.attention = nn.MultiheadAttention(out_width, heads, batch_first=True)
        self.norm = nn.LayerNorm(out_width, eps=_EPS)
        self.proj = nn.Parameter(torch.randn(out_width, out_width) * out_width**-0.5)

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """One a query."""
        return len(self.query)

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` laid out as a grid -> `[N, queries, H]`."""
        if features.grid is None:
            raise InputError(
                "connectors.position_aware_resampler needs patches in a grid: let the encoder drop its class token"
            )
        tokens: Tensor = self.norm(self.resample(features.x, features.grid)) @ self.proj
        return tokens

    def resample(self, x: Tensor, grid: Grid) -> Tensor:
        """The attention alone: `[N, L, D]` -> `[N, queries, H]`."""
        values = self.norm_key_value(self.key_value(x))
        query = self.norm_query(self.query) + self.positions((self.side, self.side), x.device)
        # Keys alone: positions steer where a query looks, and are not mixed into what it reads.
        keys = values + self.positions(grid, x.device)
        seen: Tensor = self.attention(query.expand(len(x), -1, -1), keys, values, need_weights=False)[0]
        return seen

    def positions(self, grid: Grid, device: torch.device) -> Tensor:
        """The table of the query grid, resized to `grid`: `[rows * columns, H]`."""
        own = raster((self.side, self.side), self.query.shape[1], device)
        if grid == (self.side, self.side):
            return own
        square = own.T.unflatten(1, (self.side, self.side))[None]
        return F.interpolate(square, size=grid, mode="bicubic", align_corners=False)[0].flatten(1).T
