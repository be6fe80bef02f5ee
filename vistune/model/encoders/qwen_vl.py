"""Qwen-VL's vision transformer (arXiv 2308.12966, section 2.1): OpenCLIP's bigG without its class token and last norm."""

from __future__ import annotations

from math import isqrt

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.encoders._squares import RGB, Fit, fit_square, normalise
from vistune.model.encoders.base import ImageEncoder
from vistune.model.features import Features, Grid, Prepared
from vistune.model.part import Begins
from vistune.model.transformer_block import TransformerBlock

_CLIP_MEAN, _CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class QwenVl(ImageEncoder):
    """Patches, learned positions (of `places` patches, resized for others), a norm, pre-norm blocks; no norm behind them.

    It begins at random: weights come from a checkpoint, or from an official one by `vistune import`.
    """

    begins: Begins = "random"

    def __init__(
        self,
        size: int = 448,
        patch: int = 14,
        width: int = 1664,
        layers: int = 48,
        heads: int = 16,
        expansion: float = 4.9231,
        places: int = 256,
        fit: Fit = "resize",
        mean: RGB = _CLIP_MEAN,
        std: RGB = _CLIP_STD,
    ) -> None:
        super().__init__()
        if size % patch or width % heads or isqrt(places) ** 2 != places:
            raise InputError(
                f"encoders.qwen_vl: size {size} must be a multiple of patch {patch}, width {width} of heads {heads}, "
                f"and places {places} a square"
            )
        self.size, self.width, self.patch, self.fit = size, width, patch, fit
        self.mean, self.std = mean, std
        self.patches = nn.Conv2d(3, width, patch, patch, bias=False)
        self.positions = nn.Parameter(torch.randn(places, width) * width**-0.5)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self._blocks = nn.ModuleList(TransformerBlock(width, heads, expansion, eps=1e-6) for _ in range(layers))

    @property
    def blocks(self) -> nn.ModuleList:
        """The transformer blocks."""
        return self._blocks

    def grid(self, size: tuple[int, int]) -> Grid | None:
        """The patches' layout."""
        return self.size // self.patch, self.size // self.patch

    def num_tokens(self, size: tuple[int, int]) -> int:
        """One a patch."""
        return (self.size // self.patch) ** 2

    def prepare(self, image: Image.Image) -> Prepared:
        """Square, scaled, normalised."""
        square, geometry = fit_square(image, self.size, self.fit, self.mean)
        return Prepared(normalise(square, self.mean, self.std)[None], geometry)

    def forward(self, inputs: Tensor) -> Features:
        """`[N, 3, H, W]` of any multiple of the patch."""
        patches = self.patches(inputs)
        grid = patches.shape[2], patches.shape[3]
        x = self.norm(patches.flatten(2).transpose(1, 2) + self._places(grid))
        for block in self._blocks:
            x = block(x)
        return Features(x, grid)

    def _places(self, grid: Grid) -> Tensor:
        """`[rows * columns, D]`."""
        side = isqrt(len(self.positions))
        if grid == (side, side):
            return self.positions
        # In fp32: bf16 has eight bits, fewer than bicubic weights need.
        table = self.positions.float().view(1, side, side, -1).permute(0, 3, 1, 2)
        resized = F.interpolate(table, size=grid, mode="bicubic", align_corners=False)
        return resized.flatten(2).transpose(1, 2)[0].to(self.positions.dtype)
