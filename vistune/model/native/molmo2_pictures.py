"""Molmo 2's pictures: one small view of the whole, and overlapping crops of an enlarged one, as patches.

    whole        canvas of 2 x 3 crops          kept patches of a row of three crops (margins of one)
    +----+       +--+-+--+-+--+
    |    |       |  | |  | |  |                 1 1 1 . | . 2 2 . | . 3 3 3
    +----+       +--+-+--+-+--+

The language model reads a token for each window of 2 x 2 patches; `image_token_pooling` lists the patches of each window.
Every patch of the canvas is read from one crop, that in which it stands further from the edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vistune.errors import InputError

_BILINEAR = 2  # Pillow's number, in which processors write it

Numbers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Cropping:
    """`size`: a crop's side in pixels; `patch_size`; `max_crops` beside the whole; `overlap_margins`: patches at a crop's near
    and far edge that its neighbour shows, too; `pooling_size`: rows and columns of a window; mean and deviation of pixels."""

    size: int = 378
    patch_size: int = 14
    max_crops: int = 8
    overlap_margins: tuple[int, int] = (4, 4)
    pooling_size: tuple[int, int] = (2, 2)
    image_mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    image_std: tuple[float, ...] = (0.5, 0.5, 0.5)
    rescale_factor: float = 1 / 255

    @classmethod
    def of(cls, record: dict[str, Any], where: str) -> Cropping:
        """From a picture processor's file. Raises `InputError` for a setting that this preparation does not know."""
        known = {name: record[name] for name in cls.__dataclass_fields__ if record.get(name) is not None}
        size = record.get("size", {"height": cls.size, "width": cls.size})
        if size["height"] != size["width"]:
            raise InputError(f"{where}: Molmo 2 reads square crops, not {size['height']}x{size['width']}")
        if record.get("resample", _BILINEAR) != _BILINEAR:
            raise InputError(f"{where}: Molmo 2's pictures are resized bilinearly, not by resample={record['resample']}")
        if any(record.get(step, True) is False for step in ("do_resize", "do_rescale", "do_normalize")):
            raise InputError(f"{where}: Molmo 2's pictures are resized and normalised, which this directory switches off")
        listed: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
        return cls(**(listed | {"size": int(size["height"])}))

    @property
    def side(self) -> int:
        """Patches along a crop's side."""
        return self.size // self.patch_size

    @property
    def step(self) -> int:
        """Pixels from one crop to the next."""
        return (self.side - sum(self.overlap_margins)) * self.patch_size

    def canvas(self, tiles: int) -> int:
        """Pixels that so many crops in a row cover."""
        return tiles * self.step + sum(self.overlap_margins) * self.patch_size

    def tiling(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of crops: those that enlarge the picture least, or shrink it least where all must."""
        margin = sum(self.overlap_margins) * self.patch_size
        counts = range(1, self.max_crops + 1)
        shapes = [(rows, columns) for rows in counts for columns in counts if rows * columns <= self.max_crops]
        shapes.sort(key=lambda shape: (shape[0] * shape[1], shape[0]))
        # In float32 as published: two shapes whose scales differ by less are one to it, and the first is taken.
        wanted = np.array([height - margin, width - margin], np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            scales = ((np.array(shapes, np.int32) * self.step).astype(np.float32) / wanted).min(axis=1)
        if (scales < 1).all():
            return shapes[int(scales.argmax())]
        return shapes[int(np.where(scales < 1, np.float32(10e9), scales).argmin())]


def prepared(images: Sequence[Image.Image], cropping: Cropping) -> dict[str, Tensor]:
    """Pictures as Molmo 2 reads them.

    pixel_values         float32 [crops of all pictures, patches, 3 * patch_size ** 2]
    image_token_pooling  int64 [tokens of all pictures, patches of a window], -1 where a window reaches over the edge
    image_grids          int64 [pictures, 4]: rows and columns of tokens of the whole, then of the canvas
    image_num_crops      int64 [pictures]
    """
    crops, windows, grids, counts, before = [], [], [], [], 0
    for image in images:
        views, own, grid = _one(image, cropping)
        crops.append(views)
        windows.append(np.where(own >= 0, own + before, -1))
        grids.append(grid)
        counts.append(len(views))
        before += len(views) * cropping.side**2
    return {
        "pixel_values": torch.cat(crops),
        "image_token_pooling": torch.from_numpy(np.concatenate(windows)),
        "image_grids": torch.tensor(grids),
        "image_num_crops": torch.tensor(counts),
    }


def _one(image: Image.Image, cropping: Cropping) -> tuple[Tensor, Numbers, tuple[int, int, int, int]]:
    """A picture's crops as patches, the windows over them, and how many rows and columns of windows there are."""
    # Contiguous: torch interpolates channels-last tensors in another order, which rounds some pixels otherwise.
    pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None].float().contiguous()
    rows, columns = cropping.tiling(*pixels.shape[2:])
    whole = _resized(pixels, cropping.size, cropping.size, cropping)
    canvas = _resized(pixels, cropping.canvas(rows), cropping.canvas(columns), cropping)
    tiles = canvas.unfold(2, cropping.size, cropping.step).unfold(3, cropping.size, cropping.step)
    views = torch.cat([whole, tiles[0].permute(1, 2, 0, 3, 4).flatten(0, 1)])
    patch = cropping.patch_size
    patches = views.unfold(2, patch, patch).unfold(3, patch, patch).permute(0, 2, 3, 4, 5, 1).flatten(3).flatten(1, 2)
    small = np.arange(cropping.side**2).reshape(cropping.side, cropping.side)
    first, (low, wide) = _windows(small, cropping.pooling_size)
    second, (high, broad) = _windows(_numbered(rows, columns, cropping) + cropping.side**2, cropping.pooling_size)
    return patches, np.concatenate([first, second]), (low, wide, high, broad)


def _resized(pixels: Tensor, height: int, width: int, cropping: Cropping) -> Tensor:
    """Whole numbers again after resizing, then normalised; without antialiasing, as the model was trained."""
    resized = F.interpolate(pixels, size=(height, width), mode="bilinear", align_corners=False).round().clamp(0, 255)
    scale = 1.0 / cropping.rescale_factor
    mean, deviation = (torch.tensor(values)[:, None, None] * scale for values in (cropping.image_mean, cropping.image_std))
    return (resized - mean) / deviation


def _numbered(rows: int, columns: int, cropping: Cropping) -> Numbers:
    """The number of each patch of the canvas `[H, W]`, counted crop by crop."""
    (down, y), (across, x) = _kept(rows, cropping), _kept(columns, cropping)
    crop = down[:, None] * columns + across[None]
    numbers: Numbers = (crop * cropping.side + y[:, None]) * cropping.side + x[None]
    return numbers


def _kept(tiles: int, cropping: Cropping) -> tuple[Numbers, Numbers]:
    """For each patch along a side of the canvas: which crop shows it, and where in it."""
    near, far = cropping.overlap_margins
    spans = [(near if tile else 0, cropping.side - (far if tile < tiles - 1 else 0)) for tile in range(tiles)]
    crops = np.concatenate([np.full(end - start, tile) for tile, (start, end) in enumerate(spans)])
    return crops, np.concatenate([np.arange(start, end) for start, end in spans])


def _windows(numbers: Numbers, size: Sequence[int]) -> tuple[Numbers, tuple[int, int]]:
    """Windows `[n, rows * columns]` over a grid, and how many there are down and across; -1 where they reach over the edge."""
    over = [-side % step for side, step in zip(numbers.shape, size, strict=True)]
    filled = np.pad(numbers, [(more // 2, more - more // 2) for more in over], constant_values=-1)
    down, across = (side // step for side, step in zip(filled.shape, size, strict=True))
    return filled.reshape(down, size[0], across, size[1]).swapaxes(1, 2).reshape(down * across, -1), (down, across)
