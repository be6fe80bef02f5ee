"""Convolutions around a pooling: Honeybee's C-Abstractor, which keeps neighbourhoods (arXiv 2312.06742, section 3.3).

[rows, columns] -> + positions -> RegNet blocks -> adaptive mean pooling to side x side -> RegNet blocks -> MLP -> tokens
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class CAbstractor(Connector):
    """`side` squared tokens, and `ends` learned vectors behind them.

    `depth` blocks stand on either side of the pooling (0: pooling alone), `hidden` wide; the MLP has `mlp_depth` layers with
    SiLU. `grid` is the encoder's, for which positions are learned; they are resized for another one.
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        side: int = 12,
        depth: int = 3,
        hidden: int = 1024,
        mlp_depth: int = 2,
        grid: int = 24,
        ends: int = 0,
    ) -> None:
        super().__init__()
        if min(side, mlp_depth, grid) < 1 or min(depth, ends) < 0:
            raise InputError(f"connectors.c_abstractor: side {side}, mlp_depth {mlp_depth} and grid {grid} must be at least 1")
        self.side, self.learned_grid = side, grid
        self.positions = nn.Parameter(torch.randn(grid * grid, width) * 0.02)
        inner = hidden if depth else width
        self.before = nn.Sequential(*(RegNetBlock(width if number == 0 else hidden, hidden) for number in range(depth)))
        self.after = nn.Sequential(*(RegNetBlock(hidden, hidden) for _ in range(depth)))
        layers: list[nn.Module] = [nn.Linear(inner, out_width)]
        for _ in range(mlp_depth - 1):
            layers += [nn.SiLU(), nn.Linear(out_width, out_width)]
        self.readout = nn.Sequential(*layers)
        self.ends = nn.Parameter(torch.randn(ends, out_width) * 0.02) if ends else None

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """`side` squared, and the ends."""
        return self.side**2 + (0 if self.ends is None else len(self.ends))

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, side * side + ends, H]`."""
        if features.grid is None:
            raise InputError("connectors.c_abstractor needs patches in a grid: let the encoder drop its class token")
        image = features.x.transpose(1, 2).unflatten(2, features.grid) + self._places(features.grid)
        # Adaptive pooling takes any grid to `side` x `side`, so one connector serves encoders of several resolutions.
        image = self.after(F.adaptive_avg_pool2d(self.before(image), self.side))
        tokens: Tensor = self.readout(image.flatten(2).transpose(1, 2))
        return tokens if self.ends is None else torch.cat([tokens, self.ends.expand(len(tokens), -1, -1)], dim=1)

    def _places(self, grid: Grid) -> Tensor:
        """`[1, D, rows, columns]`."""
        learned: Tensor = self.positions.T.unflatten(1, (self.learned_grid, self.learned_grid))[None]
        if grid == (self.learned_grid, self.learned_grid):
            return learned
        return F.interpolate(learned, size=grid, mode="bicubic", align_corners=False)


class RegNetBlock(nn.Module):
    """A bottleneck of RegNet-Y (arXiv 2003.13678) with layer norms over channels and SiLU: 1 x 1, 3 x 3, squeeze, 1 x 1.

    As published, the 3 x 3 convolution works channel by channel. The squeeze is a quarter of the block's input wide; a block
    that changes the width has a normed 1 x 1 shortcut.
    """

    def __init__(self, width: int, out_width: int) -> None:
        super().__init__()
        self.enter, self.norm_enter = nn.Conv2d(width, out_width, 1, bias=False), ChannelNorm(out_width)
        self.spread = nn.Conv2d(out_width, out_width, 3, padding=1, groups=out_width, bias=False)
        self.norm_spread = ChannelNorm(out_width)
        squeezed = round(width / 4)
        self.squeeze, self.excite = nn.Conv2d(out_width, squeezed, 1), nn.Conv2d(squeezed, out_width, 1)
        self.leave, self.norm_leave = nn.Conv2d(out_width, out_width, 1, bias=False), ChannelNorm(out_width)
        self.shortcut = (
            nn.Identity()
            if width == out_width
            else nn.Sequential(nn.Conv2d(width, out_width, 1, bias=False), ChannelNorm(out_width))
        )

    def forward(self, image: Tensor) -> Tensor:
        """`[N, C, rows, columns]`."""
        x = F.silu(self.norm_enter(self.enter(image)))
        x = F.silu(self.norm_spread(self.spread(x)))
        gate = self.excite(F.silu(self.squeeze(x.mean(dim=(2, 3), keepdim=True)))).sigmoid()
        x = self.norm_leave(self.leave(x * gate))
        return F.silu(x + self.shortcut(image))


class ChannelNorm(nn.LayerNorm):
    """A layer norm over the channels of `[N, C, rows, columns]`."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=1e-5)

    def forward(self, image: Tensor) -> Tensor:
        """Each place of the image by itself."""
        return super().forward(image.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
