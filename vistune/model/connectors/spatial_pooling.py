"""Fewer patches by pooling over their grid, then a linear layer or more."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class SpatialPooling(Connector):
    """The grid becomes one of `side` x `side` patches, then `depth` linear layers with GELU between them.

    `mean` and `max` share the patches out as evenly as they go (adaptive pooling); `bilinear` samples between patches, as
    LLaVA-NeXT-Video and LLaVA-OneVision do for frames (arXiv 2408.03326, section 3.2).
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        side: int = 12,
        mode: Literal["mean", "max", "bilinear"] = "mean",
        depth: int = 1,
    ) -> None:
        super().__init__()
        if side < 1 or depth < 1:
            raise InputError(f"connectors.spatial_pooling: side is {side} and depth {depth}, expected at least 1")
        self.side, self.mode = side, mode
        layers: list[nn.Module] = [nn.Linear(width, out_width)]
        for _ in range(depth - 1):
            layers += [nn.GELU(), nn.Linear(out_width, out_width)]
        self.layers = nn.Sequential(*layers)

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """`side` squared."""
        return self.side**2

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, side * side, H]`."""
        tokens: Tensor = self.layers(pooled(features, self.side, self.mode, "connectors.spatial_pooling"))
        return tokens


def pooled(features: Features, side: int, mode: str, where: str) -> Tensor:
    """`[N, L, D]` laid out as a grid -> `[N, side * side, D]`."""
    if features.grid is None:
        raise InputError(f"{where} needs patches in a grid: let the encoder drop its class token")
    image = features.x.unflatten(1, features.grid).permute(0, 3, 1, 2)
    if mode == "bilinear":
        image = F.interpolate(image, size=(side, side), mode="bilinear", align_corners=False)
    else:
        image = F.adaptive_avg_pool2d(image, side) if mode == "mean" else F.adaptive_max_pool2d(image, side)
    return image.flatten(2).transpose(1, 2)
