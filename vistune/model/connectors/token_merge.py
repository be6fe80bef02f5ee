"""Neighbouring patches become one token: MiniGPT-v2's strips, and the square blocks of InternVL and Idefics3 ("pixel shuffle").

strip of 4      0 0 0 0 1 1 1 1        block of 4      0 0 1 1
                2 2 2 2 3 3 3 3                        0 0 1 1        channels: row in the block, column, feature
"""

from __future__ import annotations

from math import isqrt
from typing import Literal

from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class TokenMerge(Connector):
    """`merge` patches side by side in the channels, then `depth` linear layers with GELU between them.

    `strip` takes patches that follow each other in raster order, over the ends of rows where these are no multiple (MiniGPT-v2,
    arXiv 2310.09478, section 2.1); `block` takes squares. A layer norm of the features stands `before` merging (MiniGPT-v2's
    `ln_vision`) or `after` it (InternVL, arXiv 2404.16821), or there is `none` (Idefics3, arXiv 2408.12637).
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        merge: int = 4,
        shape: Literal["strip", "block"] = "strip",
        norm: Literal["before", "after", "none"] = "before",
        depth: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if merge < 1 or depth < 1:
            raise InputError(f"connectors.token_merge: merge is {merge} and depth {depth}, expected at least 1")
        if shape == "block" and isqrt(merge) ** 2 != merge:
            raise InputError(f"connectors.token_merge.merge is {merge}, expected a square number of patches for a block")
        self.merge, self.shape = merge, shape
        wide = width * merge
        self.norm_before = nn.LayerNorm(width) if norm == "before" else nn.Identity()
        self.norm_after = nn.LayerNorm(wide) if norm == "after" else nn.Identity()
        layers: list[nn.Module] = [nn.Linear(wide, out_width, bias)]
        for _ in range(depth - 1):
            layers += [nn.GELU(), nn.Linear(out_width, out_width, bias)]
        self.layers = nn.Sequential(*layers)

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """One for `merge` patches. Raises `InputError` where the patches cannot be shared out."""
        side = isqrt(self.merge)
        if grid is None:
            raise InputError("connectors.token_merge needs patches in a grid: let the encoder drop its class token")
        if self.shape == "block" and (grid[0] % side or grid[1] % side):
            raise InputError(f"connectors.token_merge: blocks of {side} x {side} do not tile a grid of {grid[0]} x {grid[1]}")
        if n % self.merge:
            raise InputError(f"connectors.token_merge: strips of {self.merge} do not divide {n} patches")
        return n // self.merge

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, L / merge, H]`."""
        self.num_tokens(features.x.shape[1], features.grid)
        tokens: Tensor = self.layers(self.norm_after(self.merged(features)))
        return tokens

    def merged(self, features: Features) -> Tensor:
        """`[N, L, D]` -> `[N, L / merge, merge * D]`, normed where that comes before."""
        x: Tensor = self.norm_before(features.x)
        if self.shape == "strip":
            strips: Tensor = x.unflatten(1, (-1, self.merge)).flatten(2)
            return strips
        assert features.grid is not None
        side = isqrt(self.merge)
        rows, columns = features.grid[0] // side, features.grid[1] // side
        blocks = x.unflatten(1, (rows, side, columns, side)).permute(0, 1, 3, 2, 4, 5)
        merged: Tensor = blocks.flatten(3).flatten(1, 2)
        return merged
