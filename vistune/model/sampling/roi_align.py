"""RoIAlign (He et al., "Mask R-CNN", arXiv 1703.06870, section 3) in plain torch: no compiled kernel is needed."""

from __future__ import annotations

import torch
from torch import Tensor


def roi_align(
    maps: Tensor,
    boxes: Tensor,
    image: Tensor,
    size: int | tuple[int, int],
    samples: int = 0,
    aligned: bool = True,
) -> Tensor:
    """Average bilinear samples of `maps [N, C, H, W]` inside each bin of each box -> `[R, C, rows, columns]`.

    `boxes [R, 4]` are xyxy in cells of the map, `image [R]` is the map each one lies on. `size` is rows and columns of bins;
    a bin is read at `samples` x `samples` places, or at one a cell, rounded up, where `samples` is 0. `aligned` puts the centre
    of the first cell at 0.5; without it (the older rule) the centre is at 0 and boxes are at least one cell wide and high.
    The numbers are those of `torchvision.ops.roi_align` with `spatial_scale=1`.
    """
    rows, columns = (size, size) if isinstance(size, int) else size
    down = _weights(boxes[:, 1], boxes[:, 3], rows, maps.shape[2], samples, aligned)
    across = _weights(boxes[:, 0], boxes[:, 2], columns, maps.shape[3], samples, aligned)
    read: Tensor = down[:, None] @ maps[image] @ across[:, None].transpose(2, 3)
    return read


def _weights(start: Tensor, end: Tensor, bins: int, cells: int, samples: int, aligned: bool) -> Tensor:
    """`[R, bins, cells]`: how much each bin takes of each cell along one axis.

    Bilinear interpolation and averaging both act on each axis alone, so two of these matrices are the whole operation.
    """
    shift = 0.5 if aligned else 0.0
    start, length = start - shift, end - start
    if not aligned:
        length = length.clamp(min=1.0)
    width = (length / bins)[:, None, None]
    count = width.ceil().clamp(min=0) if samples <= 0 else torch.full_like(width, samples)
    # On the meta device (plans) sizes of boxes have no values; how many samples a bin has changes no matrix product.
    most = max(1, int(count.max())) if len(count) and not count.is_meta else 1
    sample = _numbers(most, start)
    bin_start = start[:, None, None] + _numbers(bins, start)[:, None] * width
    place = bin_start + (sample + 0.5) * width / count.clamp(min=1)  # [R, bins, most samples]
    # A place more than a cell outside the map reads zero; up to a cell outside it reads the border.
    inside = (place >= -1) & (place <= cells) & (sample < count)
    place = place.clamp(0, cells - 1)
    # The hat function of bilinear interpolation: a place gives weight to the two cells around it and to no other.
    near = (1 - (place[..., None] - _numbers(cells, start)).abs()).clamp(min=0) * inside[..., None]
    weights: Tensor = near.sum(dim=2) / count.clamp(min=1)
    return weights


def _numbers(count: int, like: Tensor) -> Tensor:
    """`0 ... count - 1` of the type and on the device of `like`."""
    return like.new_ones(count).cumsum(0) - 1
