"""Vectors around the tokens of a picture: InternLM-XComposer's flags (arXiv 2309.15112, section 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid
from vistune.spec import Spec, build


class Bracket(Connector):
    """`begin`, the tokens of `inner`, `end`. Both vectors start at zero; a stage trains them as `connector.begin` and `end`.

    The published InternLM-XComposer keeps them as they begin.
    """

    def __init__(self, width: int, out_width: int, inner: Spec = "q_former") -> None:
        super().__init__()
        self.inner: Connector = build("vistune.model.connectors", inner, Connector, width=width, out_width=out_width)
        self.begin, self.end = nn.Parameter(torch.zeros(out_width)), nn.Parameter(torch.zeros(out_width))
        self.reads_text = self.inner.reads_text

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """Those of `inner` and two."""
        return self.inner.num_tokens(n, grid) + 2

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, K + 2, H]`."""
        tokens = self.inner(features, text)
        begin, end = (vector.to(tokens).expand(len(tokens), 1, -1) for vector in (self.begin, self.end))
        return torch.cat([begin, tokens, end], dim=1)
