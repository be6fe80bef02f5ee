"""A gated linear unit behind a norm: CogVLM's adapter (arXiv 2311.03079, section 2.1)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class Glu(Connector):
    """Linear, layer norm, GELU, then SwiGLU of width `hidden` (None: four times the language model's), without biases."""

    def __init__(self, width: int, out_width: int, hidden: int | None = None) -> None:
        super().__init__()
        hidden = hidden or 4 * out_width
        self.enter = nn.Sequential(nn.Linear(width, out_width, bias=False), nn.LayerNorm(out_width), nn.GELU())
        self.gate = nn.Linear(out_width, hidden, bias=False)
        self.up = nn.Linear(out_width, hidden, bias=False)
        self.down = nn.Linear(hidden, out_width, bias=False)

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as come in."""
        return n

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, L, H]`."""
        x = self.enter(features.x)
        tokens: Tensor = self.down(F.silu(self.gate(x)) * self.up(x))
        return tokens
