"""The pre-norm block of vision transformers (arXiv 2010.11929), for parts that `transformers` does not have."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class TransformerBlock(nn.Module):
    """Self-attention and a GELU network of `expansion` times the width, each behind a norm and with a residual."""

    def __init__(self, width: int, heads: int, expansion: float = 4.0, bias: bool = True, eps: float = 1e-5) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width, eps=eps)
        self.query_key_value = nn.Linear(width, 3 * width, bias=bias)
        self.out = nn.Linear(width, width)
        self.norm_network = nn.LayerNorm(width, eps=eps)
        hidden = int(width * expansion)
        self.network = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        """`[N, L, D]` -> `[N, L, D]`."""
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            # One matrix for queries, keys and values, in this order: the layout of the official point and sound encoders that
            # read these blocks.
            for part in self.query_key_value(self.norm_attention(x)).chunk(3, dim=-1)
        )
        x = x + self.out(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))
        added: Tensor = self.network(self.norm_network(x))
        return x + added
