"""Boxes as tensors: from centre and size to corners, and how far two agree."""

from __future__ import annotations

import torch
from torch import Tensor


def from_centre(boxes: Tensor) -> Tensor:
    """`[..., 4]`, centre x and y, width and height -> xyxy."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def giou_each(first: Tensor, second: Tensor) -> Tensor:
    """Generalised IoU (arXiv 1902.09630) of pairs of xyxy boxes, `[..., 4]` twice -> `[...]`, from -1 to 1."""
    common = _area(torch.maximum(first[..., :2], second[..., :2]), torch.minimum(first[..., 2:], second[..., 2:]))
    whole = _area(first[..., :2], first[..., 2:]) + _area(second[..., :2], second[..., 2:]) - common
    hull = _area(torch.minimum(first[..., :2], second[..., :2]), torch.maximum(first[..., 2:], second[..., 2:]))
    # Boxes may collapse to a point early in training; the smallest number keeps 0 / 0 from becoming a NaN in all gradients.
    tiny = torch.finfo(first.dtype).eps
    return common / whole.clamp(min=tiny) - (hull - whole) / hull.clamp(min=tiny)


def _area(low: Tensor, high: Tensor) -> Tensor:
    return (high - low).clamp(min=0).prod(dim=-1)
