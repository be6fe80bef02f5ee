"""The mean of a region's features, projected: mask pooling as in Osprey (arXiv 2312.10032, section 3.2), one level of it."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.features import Features


class MaskPool(nn.Module):
    """`linear`, or a network of two layers (`mlp`), over the mean of the features under the mask."""

    def __init__(self, width: int, out_width: int, network: Literal["linear", "mlp"] = "mlp") -> None:
        super().__init__()
        layers = [nn.Linear(width, out_width)]
        if network == "mlp":
            layers.append(nn.Linear(out_width, out_width))
        self.network = nn.Sequential(*(part for layer in layers for part in (nn.GELU(), layer)))[1:]

    def forward(self, features: Features, masks: Tensor, image: Tensor) -> Tensor:
        """`masks [R, h, w]` over the encoder's input, in [0, 1], each on picture `image [R]` -> `[R, 1, H]`."""
        if features.grid is None:
            raise InputError("regions.mask_pool needs patches in a grid: let the encoder drop its class token")
        shares = F.adaptive_avg_pool2d(masks[:, None].to(features.x), features.grid).flatten(1)
        total = shares.sum(dim=1, keepdim=True)
        # A mask cropped away altogether is read as the whole picture, not as a division by zero.
        shares = torch.where(total > 0, shares / total.clamp(min=1e-6), 1 / shares.shape[1])
        token: Tensor = self.network(shares[:, None] @ features.x[image])
        return token
