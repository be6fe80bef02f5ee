"""Pictures of any shape on square inputs: padded, resized or centre-cropped, with the geometry that results."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vistune.model.features import Geometry

Fit: TypeAlias = Literal["pad", "resize", "crop"]
RGB: TypeAlias = tuple[float, float, float]


def fit_square(image: Image.Image, size: int, fit: Fit, fill: RGB) -> tuple[Image.Image, Geometry]:
    """Bring an RGB picture to `size` x `size` pixels.

    `pad` centres it on a square of the colour `fill` (LLaVA-1.5), `resize` ignores its shape, `crop` scales the shorter side
    and keeps the centre (CLIP).
    """
    width, height = image.size
    if fit == "pad" and width != height:
        side = max(width, height)
        left, top = (side - width) // 2, (side - height) // 2
        # The mean colour, which normalisation turns into zeros; cut off to whole values, as LLaVA's code does.
        canvas = Image.new("RGB", (side, side), tuple(int(255 * value) for value in fill))
        canvas.paste(image, (left, top))
        return _resize(canvas, size, size), Geometry((width / side, height / side), (left / side, top / side))
    if fit == "crop" and width != height:
        short = min(width, height)
        # Cut off, not rounded: the picture processor of `transformers` computes the longer side so, and a pixel moves the
        # crop.
        scaled_width, scaled_height = int(size * width / short), int(size * height / short)
        left, top = (scaled_width - size) // 2, (scaled_height - size) // 2
        scaled = _resize(image, scaled_width, scaled_height).crop((left, top, left + size, top + size))
        return scaled, Geometry((scaled_width / size, scaled_height / size), (-left / size, -top / size))
    return _resize(image, size, size), Geometry()


def _resize(image: Image.Image, width: int, height: int) -> Image.Image:
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)


def normalise(image: Image.Image, mean: RGB, std: RGB) -> Tensor:
    """RGB picture -> `[3, H, W]` float32, `(value / 255 - mean) / std`."""
    pixels = torch.from_numpy(np.asarray(image, dtype=np.float32)).permute(2, 0, 1) / 255
    return (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
