"""A token for a region of any shape: the spatial-aware sampler of Ferret (arXiv 2310.07704, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.features import Features, Prepared, Sight
from vistune.model.regions._places import groups, on_input
from vistune.model.regions.base import RegionEncoder
from vistune.model.sampling.neighbourhoods import farthest_points, gather, nearest_points
from vistune.sample import Region

_WINDOW = 11 / 336  # around a point


class GeoSampler(RegionEncoder):
    """Points of the region are read off the features, gathered around fewer and fewer anchors, flattened to one token.

    Of `points` places, each stage keeps `anchors` that lie farthest apart and pools the `neighbours` nearest to each: `max`
    (Ferret's released models) or `mean`. Anchors start at the first point, where Ferret's code draws the start anew in every
    call.

    `transposed` reads the features with x as the row and y as the column. Ferret's code does so by mistake, and its weights
    are taught with it; leave it off for weights of your own.
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        points: int = 512,
        anchors: Sequence[int] = (128, 32),
        neighbours: Sequence[int] = (24, 24),
        pool: Literal["max", "mean"] = "max",
        transposed: bool = False,
    ) -> None:
        super().__init__()
        if len(anchors) != len(neighbours):
            raise InputError(f"regions.geo_sampler: {len(anchors)} stages of anchors, but {len(neighbours)} of neighbours")
        for kept, near, given in zip(anchors, neighbours, (points, *anchors), strict=False):
            if max(kept, near) > given:
                raise InputError(f"regions.geo_sampler: {kept} anchors and {near} neighbours cannot be taken of {given} points")
        self.points, self.anchors, self.neighbours = points, list(anchors), list(neighbours)
        self.pool, self.transposed = pool, transposed
        self.differ = nn.ModuleList(nn.Linear(width + 2, width + 2) for _ in anchors)
        self.mix = nn.ModuleList(nn.Linear(2 * (width + 2), width) for _ in anchors)
        self.norm = nn.ModuleList(nn.LayerNorm(width) for _ in anchors)
        self.flatten = nn.Linear(anchors[-1] * width, width)
        self.out = nn.Linear(width, out_width)

    def num_tokens(self) -> int:
        """One."""
        return 1

    def prepare(self, region: Region) -> Prepared:
        """`inputs [1, points, 2]`: places inside the region, the same for the same region every time."""
        return Prepared(places_inside(region, self.points)[None])

    def forward(self, regions: Sequence[Prepared], media: Sequence[Sight], views: Sequence[Prepared | None]) -> list[Tensor]:
        """The token of each region, from what was seen of the medium it lies on."""
        made: dict[int, Tensor] = {}
        for group in groups(media):
            points = torch.cat([regions[number].inputs for number in group.numbers]).to(group.image.device)
            tokens = self.tokens(group.features, on_input(points, group.geometries), group.image)
            made |= dict(zip(group.numbers, tokens, strict=True))
        return [made[number] for number in range(len(regions))]

    def tokens(self, features: Features, points: Tensor, image: Tensor) -> Tensor:
        """`points [R, points, 2]`, xy in [0, 1] of the encoder's input, each region on picture `image [R]` -> `[R, 1, H]`."""
        x = self.sampled(features, points, image)
        for differ, mix, norm, anchors, near in zip(
            self.differ, self.mix, self.norm, self.anchors, self.neighbours, strict=True
        ):
            # Always from point 0: a random start, as in the official code, would give the same region other tokens in every
            # epoch.
            chosen = farthest_points(points, anchors, image.new_zeros(len(points)))
            places, kept = gather(points, chosen), torch.cat([gather(x, chosen), gather(points, chosen)], dim=-1)
            around = nearest_points(points, places, near)
            # Coordinates ride along as two channels, so that differences to the anchor tell direction as well as content.
            local = torch.cat([gather(x, around), gather(points, around)], dim=-1)
            anchor = kept[:, :, None].expand_as(local)
            x = norm(F.relu(mix(torch.cat([differ(local - anchor), anchor], dim=-1))))
            x, points = x.amax(dim=2) if self.pool == "max" else x.mean(dim=2), places
        token: Tensor = self.out(self.flatten(x.flatten(1)))
        return token[:, None]

    def sampled(self, features: Features, points: Tensor, image: Tensor) -> Tensor:
        """The features at the points, `[R, points, D]`, interpolated in fp32; the corners of the map are 0 and 1."""
        if features.grid is None:
            raise InputError("regions.geo_sampler needs patches in a grid: let the encoder drop its class token")
        maps = features.x.transpose(1, 2).unflatten(2, features.grid)[image]
        places = points.flip(-1) if self.transposed else points
        # `grid_sample` wants -1 to 1 and x before y. In bf16 the coordinates themselves would be off by whole patches.
        read = F.grid_sample(maps.float(), 2 * places[:, :, None].float() - 1, mode="bilinear", align_corners=True)
        return read[..., 0].transpose(1, 2).to(features.x.dtype)


def places_inside(region: Region, count: int) -> Tensor:
    """`count` places `[count, 2]` (xy of the original) inside a region.

    Of a mask, pixels drawn without repetition, or all of them and some again where it has fewer; of a box, places anywhere in
    it; of a point, places in the window of 11 pixels that Ferret takes at 336 pixels a side. The draw is seeded: a region is
    read at the same places in every epoch, where Ferret's code draws anew.
    """
    generator = torch.Generator().manual_seed(count)
    if region.mask is not None:
        rows, columns = (torch.from_numpy(part) for part in region.mask.nonzero())
        if not len(rows):
            raise InputError("a region's mask is empty: there is nothing to look at")
        order = torch.randperm(len(rows), generator=generator)
        # Every region has as many points as the rest of a batch; a mask of three pixels repeats them.
        again = torch.randint(len(rows), (max(0, count - len(rows)),), generator=generator)
        chosen = torch.cat([order[:count], again])
        height, width = region.mask.shape
        return torch.stack([columns[chosen] / width, rows[chosen] / height], dim=1).float()
    half = _WINDOW / 2
    x, y = region.point or (0.0, 0.0)
    x1, y1, x2, y2 = region.box or (x - half, y - half, x + half, y + half)
    drawn = torch.rand(count, 2, generator=generator) * torch.tensor([x2 - x1, y2 - y1]) + torch.tensor([x1, y1])
    return drawn.clamp(0, 1)
