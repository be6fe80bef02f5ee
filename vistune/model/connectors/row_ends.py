"""A learned token behind every row of patches, so that the language model sees a picture's shape (Fuyu, OtterHD).

0  1  2  3  \\n
4  5  6  7  \\n
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid
from vistune.spec import Spec, build


class RowEnds(Connector):
    """`inner` projects the patches, one token each; `newline` stands behind every row."""

    def __init__(self, width: int, out_width: int, inner: Spec = "linear") -> None:
        super().__init__()
        self.inner: Connector = build("vistune.model.connectors", inner, Connector, width=width, out_width=out_width)
        self.newline = nn.Parameter(torch.randn(out_width) * out_width**-0.5)
        self.reads_text = self.inner.reads_text

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """One a patch and one a row."""
        if grid is None or self.inner.num_tokens(n, grid) != grid[0] * grid[1]:
            raise InputError("connectors.row_ends needs an inner connector and an encoder that keep one token a patch")
        return grid[0] * (grid[1] + 1)

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, rows * columns, D]` -> `[N, rows * (columns + 1), H]`."""
        self.num_tokens(features.x.shape[1], features.grid)
        tokens = self.inner(features, text).unflatten(1, features.grid)
        ends = self.newline.to(tokens).expand(*tokens.shape[:2], 1, -1)
        rows: Tensor = torch.cat([tokens, ends], dim=2).flatten(1, 2)
        return rows
