"""Point sets as neighbourhoods: exact farthest-point sampling and nearest neighbours (PointNet++, arXiv 1706.02413)."""

from __future__ import annotations

import torch
from torch import Tensor


def farthest_points(xyz: Tensor, count: int, start: Tensor) -> Tensor:
    """Numbers of `count` points that cover each cloud, `[N, count]`.

    `xyz [N, P, D]`; from `start [N]` on, always the point farthest from all that were chosen, the first of several as far. With
    `count` above P the cloud is exhausted and points repeat.
    """
    clouds = torch.arange(len(xyz), device=xyz.device)
    nearest = xyz.new_full(xyz.shape[:2], torch.inf)
    chosen = [start.to(xyz.device)]
    for _ in range(count - 1):
        newest = xyz[clouds, chosen[-1]][:, None]
        # Each point keeps only its distance to the nearest chosen one, so a step is linear in the cloud and no matrix of
        # pairs is held.
        nearest = torch.minimum(nearest, (xyz - newest).square().sum(-1))
        chosen.append(nearest.argmax(dim=1))
    return torch.stack(chosen, dim=1)


def nearest_points(xyz: Tensor, centres: Tensor, count: int) -> Tensor:
    """Numbers of the `count` points nearest to each centre, itself included: `[N, P, D]`, `[N, G, D]` -> `[N, G, count]`."""
    distance = xyz.new_zeros(len(xyz), centres.shape[1], xyz.shape[1])
    for axis in range(xyz.shape[2]):  # differences, not the expanded product, whose rounding can exchange neighbours
        distance += (centres[:, :, None, axis] - xyz[:, None, :, axis]).square()
    # Unsorted: neighbourhoods are pooled or centred, and their order does not matter.
    return distance.topk(count, dim=-1, largest=False, sorted=False).indices


def gather(points: Tensor, numbers: Tensor) -> Tensor:
    """`points [N, P, C]` at `numbers [N, ...]` -> `[N, ..., C]`."""
    clouds = torch.arange(len(points), device=points.device).view(-1, *[1] * (numbers.dim() - 1))
    return points[clouds, numbers]
