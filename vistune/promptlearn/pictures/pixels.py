"""Pictures to normalised pixels: the test-time crop, and training crops that are the same for the same (image, view)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vistune.data.media.image import load_image
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.datasets.base import Item
from vistune.promptlearn.pictures.augment import augmix, randaugment
from vistune.promptlearn.pictures.images import Bank

RATIO = (3 / 4, 4 / 3)
Augment: TypeAlias = Literal["crop", "randaugment", "augmix"]


def centre_crop(image: Image.Image, size: int) -> Image.Image:
    """The shorter side to `size` (bicubic), then the middle square."""
    if image.size == (size, size):
        return image
    width, height = image.size
    scale = size / min(width, height)
    resized = image.resize((max(size, round(width * scale)), max(size, round(height * scale))), Image.Resampling.BICUBIC)
    left, top = (resized.width - size) // 2, (resized.height - size) // 2
    return resized.crop((left, top, left + size, top + size))


def random_crop(image: Image.Image, size: int, scale: tuple[float, float], flip: bool, rng: np.random.Generator) -> Image.Image:
    """A random part of `scale` of the area at a ratio of 3:4 to 4:3, resized (bicubic), mirrored half of the time with `flip`.

    After ten parts that do not fit, the middle square.
    """
    width, height = image.size
    for _ in range(10):
        area = width * height * rng.uniform(*scale)
        ratio = math.exp(rng.uniform(math.log(RATIO[0]), math.log(RATIO[1])))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
            part = image.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + w, top + h))
            break
    else:
        part = centre_crop(image, size)
    return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip and rng.random() < 0.5 else part


def squashed(image: Image.Image, size: int) -> Image.Image:
    """The whole picture as a square (bicubic), whatever its ratio: what RandAugment is given."""
    return image.resize((size, size), Image.Resampling.BICUBIC)


def normalised(images: Sequence[Image.Image | np.ndarray], backbone: DualEncoder) -> Tensor:
    """`[B, 3, H, W]` float32, by the backbone's mean and standard deviation."""
    array = np.stack([np.asarray(image, dtype=np.float32) for image in images]) / 255
    mean, std = np.asarray(backbone.mean, np.float32), np.asarray(backbone.std, np.float32)
    return torch.from_numpy(((array - mean) / std).transpose(0, 3, 1, 2).copy()).to(backbone.device)


def fixed_bank(items: Sequence[Item], backbone: DualEncoder) -> Bank:
    """A bank of test images."""

    def pixels(ids: Sequence[int]) -> Tensor:
        images = [load_image(items[i].media, at_least=(backbone.image_size,) * 2) for i in ids]
        return normalised([centre_crop(image, backbone.image_size) for image in images], backbone)

    return Bank(pixels, len(items))


def view_bank(
    items: Sequence[Item],
    backbone: DualEncoder,
    views: int,
    seed: int,
    crop: tuple[float, float] | None,
    flip: bool,
    *,
    plain_first: bool = False,
    augment: Augment = "crop",
) -> Bank:
    """A bank of `views` random views of every image: row `view * len(items) + i`.

    A view is a crop, such a crop in AugMix, or the whole image in RandAugment. Without `crop` every view is the test-time
    one, with `plain_first` the first view is.
    """
    size = backbone.image_size

    def changed(image: Image.Image, rng: np.random.Generator) -> Image.Image | np.ndarray:
        if augment == "randaugment":
            return randaugment(squashed(image, size), rng)
        assert crop is not None
        part = random_crop(image, size, crop, flip, rng)
        return augmix(part, rng) if augment == "augmix" else part

    def pixels(ids: Sequence[int]) -> Tensor:
        pictures: list[Image.Image | np.ndarray] = []
        for row in ids:
            view, i = divmod(row, len(items))
            plain = crop is None or (plain_first and view == 0)
            image = load_image(items[i].media, at_least=(size, size) if plain else None)
            if crop is None or plain:
                pictures.append(centre_crop(image, size))
            else:
                pictures.append(changed(image, np.random.default_rng([seed, view, i])))
        return normalised(pictures, backbone)

    return Bank(pixels, views * len(items))
