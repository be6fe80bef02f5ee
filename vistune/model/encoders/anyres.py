"""Any resolution: a picture as one view of the whole and a grid of tiles (LLaVA-1.6, "AnyRes")."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import torch
from PIL import Image
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.encoders.base import ImageEncoder
from vistune.model.features import Features, Geometry, Grid, Prepared, Tiling
from vistune.spec import Spec, build

LLAVA_1_6 = ((1, 2), (2, 1), (2, 2), (3, 1), (1, 3))


class Anyres(ImageEncoder):
    """`inner` sees the whole picture, squashed to its square, and each tile of the best of `grids` (columns, rows).

    The picture is scaled into the grid with its shape kept and centred on black. The best grid shows most of the picture's
    pixels; of equal ones the least padded, then the first.
    """

    def __init__(
        self, inner: Spec = "huggingface", grids: Sequence[tuple[int, int]] = LLAVA_1_6, load_weights: bool = True
    ) -> None:
        super().__init__()
        if not grids or min(min(grid) for grid in grids) < 1:
            raise InputError(f"encoders.anyres.grids is {list(grids)}, expected pairs (columns, rows) of at least 1")
        self.inner: ImageEncoder = build("vistune.model.encoders", inner, ImageEncoder, load_weights=load_weights)
        self.width, self.size = self.inner.width, self.inner.size
        self.grids = [(int(columns), int(rows)) for columns, rows in grids]

    @property
    def blocks(self) -> nn.ModuleList:
        """Those of `inner`."""
        return self.inner.blocks

    def tiling(self, size: tuple[int, int]) -> Tiling | None:
        """The best grid for a picture of `size` (width, height)."""
        columns, rows = best_grid(size, self.grids, self.size)
        return Tiling(rows, columns, size)

    def grid(self, size: tuple[int, int]) -> Grid | None:
        """The layout of one input's tokens."""
        return self.inner.grid((self.size, self.size))

    def num_tokens(self, size: tuple[int, int]) -> int:
        """Tokens of one input."""
        return self.inner.num_tokens((self.size, self.size))

    def prepare(self, image: Image.Image) -> Prepared:
        """The whole, then the tiles row by row."""
        tiling = self.tiling(image.size)
        assert tiling is not None
        pixels = [self.inner.prepare(view).inputs for view in views(image, self.size, tiling)]
        return Prepared(torch.cat(pixels), Geometry(), self.layout_of(image.size))

    def forward(self, pixels: Tensor) -> Features:
        """`pixels [N, 3, size, size]` -> features of N views."""
        features: Features = self.inner(pixels)
        return features


def best_grid(size: tuple[int, int], grids: Sequence[tuple[int, int]], tile: int) -> tuple[int, int]:
    """(columns, rows) of the grid of `tile`-pixel squares in which a picture of `size` (width, height) keeps most pixels."""
    width, height = size

    def quality(grid: tuple[int, int]) -> tuple[int, int]:
        wide, high = grid[0] * tile, grid[1] * tile
        scale = min(wide / width, high / height)
        # Enlarging a picture shows no more of it, so no grid gets credit for more pixels than there are.
        kept = min(int(width * scale) * int(height * scale), width * height)
        return kept, kept - wide * high

    return max(grids, key=quality)


def views(image: Image.Image, tile: int, tiling: Tiling) -> list[Image.Image]:
    """The squashed whole and the tiles, row by row, each `tile` x `tile` pixels."""
    width, height = image.size
    wide, high = tiling.columns * tile, tiling.rows * tile
    across, down = wide / width, high / height
    # Rounded up and bounded, as LLaVA-1.6 does; `Tiling.content` undoes exactly this when padding is left out.
    scaled = (wide, min(ceil(height * across), high)) if across < down else (min(ceil(width * down), wide), high)
    canvas = Image.new("RGB", (wide, high))
    canvas.paste(image.resize(scaled, Image.Resampling.BICUBIC), ((wide - scaled[0]) // 2, (high - scaled[1]) // 2))
    boxes = [(left, top, left + tile, top + tile) for top in range(0, high, tile) for left in range(0, wide, tile)]
    return [image.resize((tile, tile), Image.Resampling.BICUBIC), *(canvas.crop(box) for box in boxes)]
