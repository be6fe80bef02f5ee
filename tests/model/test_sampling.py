"""RoIAlign equals torchvision's kernel, and points are chosen as PointNet++ does."""

from __future__ import annotations

import itertools

import pytest
import torch
from mechanisms import Golden, close

from vistune.model.sampling.neighbourhoods import farthest_points, gather, nearest_points
from vistune.model.sampling.roi_align import roi_align

CASES = list(itertools.product(("aligned", "plain"), (0, 1, 2, 3), ((2, 3), (7, 5))))


@pytest.mark.parametrize(("rule", "samples", "size"), CASES)
def test_roi_align_is_torchvisions_forward_and_backward(rule: str, samples: int, size: tuple[int, int]) -> None:
    """Boxes inside, across the border, of no extent and turned inside out; recorded from torchvision 0.28.0 on a CPU."""
    golden, name = Golden("roi_align"), f"{rule}.{samples}.{size[0]}x{size[1]}"
    maps = golden["in/maps"].requires_grad_()
    read = roi_align(maps, golden["in/boxes"], golden["in/image"], size, samples, rule == "aligned")
    (read * torch.linspace(-1, 1, read.numel()).view_as(read)).sum().backward()
    close(read, golden[f"out/{name}"])
    assert maps.grad is not None
    close(maps.grad, golden[f"grad/{name}"])


def test_roi_align_reads_no_boxes() -> None:
    nothing = roi_align(torch.randn(1, 3, 4, 4), torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), 2)
    assert nothing.shape == (0, 3, 2, 2)


def test_farthest_points_cover_a_line_from_its_start() -> None:
    line = torch.tensor([[[0.0], [1.0], [2.0], [10.0], [5.0]]])
    assert farthest_points(line, 4, torch.tensor([0])).tolist() == [[0, 3, 4, 2]]
    assert farthest_points(line, 2, torch.tensor([3])).tolist() == [[3, 0]]


def test_neighbours_hold_the_anchor_itself() -> None:
    points = torch.randn(2, 9, 2)
    numbers = torch.tensor([[4, 0], [1, 8]])
    near = nearest_points(points, gather(points, numbers), 3)
    assert (near == numbers[..., None]).any(dim=-1).all()
    assert gather(points, near).shape == (2, 2, 3, 2)
