"""PointBERT, the point cloud encoder of PointLLM (arXiv 2111.14819; 2308.16911, section 3.2)."""

from __future__ import annotations

import random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.features import Features
from vistune.model.sampling.neighbourhoods import farthest_points, gather, nearest_points
from vistune.model.transformer_block import TransformerBlock


class PointTransformer(nn.Module):
    """A cloud as `groups` neighbourhoods of `neighbours` points, each a token, behind a class token.

    Centres are sampled farthest first from a point that `seed` draws (the published code draws another at every call), so that
    a cloud always gives the same tokens. Clouds bring xyz and `channels` further values a point (3: colour in [0, 1]) and are
    moved and scaled into the unit sphere; a cloud of more than `points` points is thinned farthest first. `width`, `depth` and
    `heads` are the transformer's, `groups_width` the width of a group's embedding.
    """

    def __init__(
        self,
        points: int = 8192,
        channels: int = 3,
        groups: int = 512,
        neighbours: int = 32,
        width: int = 384,
        depth: int = 12,
        heads: int = 6,
        groups_width: int = 256,
        hidden: tuple[int, int, int] = (128, 512, 128),
        seed: int = 0,
    ) -> None:
        super().__init__()
        if width % heads:
            raise InputError(f"encoders.point_bert: {heads} heads do not divide the width {width}")
        if not max(groups, neighbours) <= points:
            raise InputError(f"encoders.point_bert: {groups} groups of {neighbours} need at least as many points, not {points}")
        self.points, self.channels, self.groups, self.neighbours = points, channels, groups, neighbours
        self.width, self.seed = width, seed
        self.group = GroupEncoder(3 + channels, groups_width, hidden[:2])
        self.enter = nn.Linear(groups_width, width)
        self.position = nn.Sequential(nn.Linear(3, hidden[2]), nn.GELU(), nn.Linear(hidden[2], width))
        self.cls = nn.Parameter(torch.zeros(width))
        self.cls_position = nn.Parameter(torch.randn(width))
        self.blocks = nn.ModuleList(TransformerBlock(width, heads, bias=False) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def num_tokens(self) -> int:
        """The groups and the class token."""
        return self.groups + 1

    def prepare(self, points: NDArray[np.float32]) -> Tensor:
        """A cloud `[P, 3 + C]` -> `[points or fewer, 3 + channels]` in the unit sphere.

        Raises `InputError` for clouds of fewer points than groups or neighbours, and of other channels.
        """
        least = max(self.groups, self.neighbours)
        if len(points) < least or points.shape[1] != 3 + self.channels:
            raise InputError(
                f"a cloud of {len(points)} points with {points.shape[1] - 3} values beside xyz, but encoders.point_bert needs "
                f"at least {least} points with {self.channels}"
            )
        cloud = torch.from_numpy(np.ascontiguousarray(points))
        if len(cloud) > self.points:
            cloud = cloud[farthest_points(cloud[None, :, :3], self.points, self.starts(cloud[None]))[0]]
        xyz = cloud[:, :3] - cloud[:, :3].mean(dim=0)
        # A cloud of one place only has no radius, and would be divided by zero.
        radius = xyz.norm(dim=1).max().clamp(min=torch.finfo(xyz.dtype).tiny)
        return torch.cat([xyz / radius, cloud[:, 3:]], dim=1)

    def starts(self, clouds: Tensor) -> Tensor:
        """The point at which the sampling of each of N clouds starts, `[N]`."""
        start = random.Random(self.seed).randrange(clouds.shape[1])
        return torch.full((len(clouds),), start, dtype=torch.long, device=clouds.device)

    def forward(self, clouds: Tensor, starts: Tensor | None = None) -> Features:
        """`clouds [N, P, 3 + channels]`, sampled from `starts [N]` on -> `x [N, 1 + groups, width]`, the class token first."""
        xyz = clouds[:, :, :3]
        centres = gather(xyz, farthest_points(xyz, self.groups, self.starts(clouds) if starts is None else starts))
        near = gather(clouds, nearest_points(xyz, centres, self.neighbours))
        # Neighbourhoods are told relative to their centre; where the centre lies, its position embedding tells.
        near = torch.cat([near[..., :3] - centres[:, :, None], near[..., 3:]], dim=-1)
        first = self.cls.expand(len(clouds), 1, -1)
        x = torch.cat([first, self.enter(self.group(near))], dim=1)
        position = torch.cat([self.cls_position.expand_as(first), self.position(centres)], dim=1)
        for block in self.blocks:
            x = block(x + position)  # positions are added before every block, not only the first
        x = self.norm(x)
        # The summary is that of Point-BERT's classifier: the class token beside the maximum of the groups.
        return Features(x, None, torch.cat([x[:, 0], x[:, 1:].amax(dim=1)], dim=-1))


class GroupEncoder(nn.Module):
    """A small PointNet: points of a group to one vector, by two stages of linear layers with a maximum behind each."""

    def __init__(self, channels: int, width: int, hidden: tuple[int, int]) -> None:
        super().__init__()
        self.first = PointNetwork(channels, hidden[0], width)
        self.second = PointNetwork(2 * width, hidden[1], width)

    def forward(self, groups: Tensor) -> Tensor:
        """`[N, G, K, 3 + C]` -> `[N, G, width]`."""
        local: Tensor = self.first(groups)
        whole = local.amax(dim=2, keepdim=True).expand_as(local)
        seen: Tensor = self.second(torch.cat([whole, local], dim=-1))
        return seen.amax(dim=2)


class PointNetwork(nn.Module):
    """Linear, batch norm over all points, ReLU, linear."""

    def __init__(self, width: int, hidden: int, out_width: int) -> None:
        super().__init__()
        self.enter, self.norm, self.leave = nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.Linear(hidden, out_width)

    def forward(self, points: Tensor) -> Tensor:
        """`[..., width]` -> `[..., out_width]`."""
        hidden = self.enter(points)
        hidden = self.norm(hidden.flatten(0, -2)).view_as(hidden)
        out: Tensor = self.leave(hidden.relu())
        return out
