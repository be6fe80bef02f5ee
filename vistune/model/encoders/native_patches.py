"""No encoder: raw patches at a picture's own resolution, row by row (Fuyu, adept.ai/blog/fuyu-8b; OtterHD, arXiv 2311.04219).

picture, shrunk to the canvas if larger  ->  padded right and below to whole patches  ->  [rows * columns, patch * patch * 3]
"""

from __future__ import annotations

from math import ceil
from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.encoders.base import ImageEncoder
from vistune.model.features import Features, Geometry, Grid, Prepared
from vistune.model.part import Begins

_PADDING = 1.0  # written before values are scaled by 1 / 255, as published: nearly black


class NativePatches(ImageEncoder):
    """Patches of `patch` x `patch` pixels, channels last, values from -1 to 1; nothing is learned.

    A picture larger than the canvas (`height` x `width` pixels) is shrunk to fit, its shape kept; a smaller one stays.
    """

    reads: ClassVar[tuple[str, ...]] = ("image",)
    begins: Begins = "random"

    def __init__(self, patch: int = 30, height: int = 1080, width: int = 1920) -> None:
        super().__init__()
        if min(patch, height, width) < 1 or height % patch or width % patch:
            raise InputError(f"encoders.native_patches: patches of {patch} pixels do not tile a canvas of {height} x {width}")
        self.patch, self.canvas = patch, (height, width)
        self.width, self.size = patch * patch * 3, max(height, width)

    @property
    def blocks(self) -> nn.ModuleList:
        """None."""
        return nn.ModuleList()

    def shrunk(self, size: tuple[int, int]) -> tuple[int, int]:
        """The (width, height) that a picture of `size` (width, height) is seen at."""
        width, height = size
        if width <= self.canvas[1] and height <= self.canvas[0]:
            return size
        scale = min(self.canvas[0] / height, self.canvas[1] / width)
        # A picture of 1 x 5000 pixels would otherwise shrink to nothing.
        return max(1, int(width * scale)), max(1, int(height * scale))

    def grid(self, size: tuple[int, int]) -> Grid | None:
        """Rows and columns that cover the picture."""
        width, height = self.shrunk(size)
        return ceil(height / self.patch), ceil(width / self.patch)

    def num_tokens(self, size: tuple[int, int]) -> int:
        """One a patch."""
        rows, columns = self.grid(size) or (0, 0)
        return rows * columns

    def prepare(self, image: Image.Image) -> Prepared:
        """`[1, 3, rows * patch, columns * patch]`."""
        width, height = self.shrunk(image.size)
        seen = image if (width, height) == image.size else image.resize((width, height), Image.Resampling.BILINEAR)
        rows, columns = ceil(height / self.patch), ceil(width / self.patch)
        canvas = np.full((rows * self.patch, columns * self.patch, 3), _PADDING, dtype=np.float32)
        canvas[:height, :width] = np.asarray(seen, dtype=np.float32)
        pixels = torch.from_numpy(canvas).permute(2, 0, 1)[None] / 255
        return Prepared((pixels - 0.5) / 0.5, Geometry((width / canvas.shape[1], height / canvas.shape[0])))

    def forward(self, inputs: Tensor) -> Features:
        """`[N, 3, height, width]` -> patches, row by row."""
        rows, columns = inputs.shape[2] // self.patch, inputs.shape[3] // self.patch
        cut = inputs.unflatten(2, (rows, self.patch)).unflatten(4, (columns, self.patch))
        return Features(cut.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2), (rows, columns))
