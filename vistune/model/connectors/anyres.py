"""The layout of LLaVA-1.6's tiles: the whole picture, then the tiles stitched, without padding, a newline behind every row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid, Layout
from vistune.spec import Spec, build


class Anyres(Connector):
    """`inner` projects each input; the tokens of a picture's tiles are laid out as one grid ("spatial unpad").

        whole          0  1  2  3  4 ...
        tiles, 2 x 2   a a b b \\n          a row of tile a, the same row of tile b, the learned `newline [H]`
                       a a b b \\n
                       c c d d \\n          rows and columns that show only padding are left out

    A picture that is one input only gets one newline at its end. `inner` must keep the number of tokens.
    """

    def __init__(self, width: int, out_width: int, inner: Spec = "mlp") -> None:
        super().__init__()
        self.inner: Connector = build("vistune.model.connectors", inner, Connector, width=width, out_width=out_width)
        self.newline = nn.Parameter(torch.randn(out_width) * out_width**-0.5)

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as `inner` gives for one input."""
        return self.inner.num_tokens(n, grid)

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, L, H]`."""
        projected: Tensor = self.inner(features, text)
        return projected

    def layout_after(self, layout: Layout) -> Layout:
        """One input: the whole, and the tiles' rows with a newline each."""
        grid, tiling = layout.grid, layout.tiling
        if tiling is None:
            return Layout(self.num_tokens(layout.tokens, grid) + 1)
        if grid is None or self.num_tokens(layout.tokens, grid) != grid[0] * grid[1]:
            raise InputError("connectors.anyres needs an inner connector and an encoder that keep one token a patch")
        rows, columns = tiling.content(grid)
        # One more column: each row of patches ends in the newline.
        return Layout(grid[0] * grid[1] + (rows.stop - rows.start) * (columns.stop - columns.start + 1))

    def join(self, tokens: Tensor, layout: Layout) -> Tensor:
        """`[T, K, H]`, the whole first -> `[1, count, H]`."""
        whole, tiles = tokens[0], tokens[1:]
        grid, tiling = layout.grid, layout.tiling
        if tiling is None:
            return torch.cat([whole, self.newline[None].to(whole)])[None]
        assert grid is not None
        # From tile by tile to row by row: (rows, columns, y, x) becomes (rows, y, columns, x).
        stitched = tiles.view(tiling.rows, tiling.columns, *grid, -1).transpose(1, 2)
        stitched = stitched.reshape(tiling.rows * grid[0], tiling.columns * grid[1], -1)
        rows, columns = tiling.content(grid)
        shown = stitched[rows, columns]
        ends = self.newline.to(shown).expand(len(shown), 1, -1)
        return torch.cat([whole, torch.cat([shown, ends], dim=1).flatten(0, 1)])[None]
