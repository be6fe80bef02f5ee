"""Queries decoded from the picture as DETR decodes boxes: MedVInT's connector (arXiv 2305.10415, section 4.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class QueryDecoder(Connector):
    """`depth` pre-norm decoder layers in which `queries` attend to each other and to the picture; then a two-layer network.

    The picture's features have no positions of their own here, and enter without a norm. `hidden` is the width inside the
    feed-forward networks, which have ReLU; so has the network that leads to the language model.
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        queries: int = 32,
        depth: int = 12,
        heads: int = 4,
        hidden: int = 1024,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if width % heads:
            raise InputError(f"connectors.query_decoder: {heads} heads do not divide the width {width}")
        self.queries = nn.Parameter(torch.randn(queries, width))
        self.layers = nn.ModuleList(
            nn.TransformerDecoderLayer(width, heads, hidden, dropout, "relu", batch_first=True, norm_first=True)
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.network = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, out_width))

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """One a query."""
        return len(self.queries)

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, queries, H]`."""
        tokens: Tensor = self.network(self.decode(features.x))
        return tokens

    def decode(self, x: Tensor) -> Tensor:
        """`[N, L, D]` -> `[N, queries, D]`: the decoder alone."""
        queries = self.queries.expand(len(x), -1, -1)
        for layer in self.layers:
            queries = layer(queries, x)
        decoded: Tensor = self.norm(queries)
        return decoded
