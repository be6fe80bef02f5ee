"""Regions on encoders' inputs: the features that belong to each region, and the region's place on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vistune.model.features import Features, Geometry, Prepared, Sight, joined
from vistune.sample import Box, Region

POINT_SIDE = 1 / 32
"""Box encoders take a point for a box of this side."""


@dataclass(frozen=True, slots=True)
class Group:
    """Regions whose media have features of one shape.

    `numbers` are theirs among all regions, `features` those of their n distinct media (the first input of each), `image [R]`
    tells for each region which medium it lies on, and `geometries` how points of that medium reach the input.
    """

    numbers: list[int]
    features: Features
    image: Tensor
    geometries: list[Geometry]


def groups(media: Sequence[Sight]) -> Iterator[Group]:
    """The medium of each region, in groups of equal shape; a medium that regions share is there once."""
    by_shape: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for number, sight in enumerate(media):
        by_shape[sight.features.shape].append(number)
    for numbers in by_shape.values():
        distinct = {id(media[number].prepared): media[number] for number in numbers}
        place = {key: place for place, key in enumerate(distinct)}
        first = [_first(sight.features) for sight in distinct.values()]
        # Features are kept once for each medium and picked by index: ten regions on a picture do not repeat its pyramid of
        # maps ten times.
        image = torch.tensor([place[id(media[number].prepared)] for number in numbers], device=first[0].x.device)
        yield Group(numbers, joined(first), image, [media[number].prepared.geometry for number in numbers])


def _first(features: Features) -> Features:
    """Of a picture in tiles, the view of the whole; of a film, the first frame."""
    # Geometry describes the first input only; tiles have places of their own, which region encoders do not know.
    return features if len(features.x) == 1 else features.split([1, len(features.x) - 1])[0]


def box_of(region: Region) -> Box:
    """The box of a region on the original: of a mask the tight one, of a point a small one around it."""
    if region.point is None:
        return region.bounds()
    x, y = region.point
    half = POINT_SIDE / 2
    return max(0.0, x - half), max(0.0, y - half), min(1.0, x + half), min(1.0, y + half)


def prepared_box(region: Region) -> Prepared:
    """`inputs [1, 4]`: the box of a region on the original."""
    return Prepared(torch.tensor([box_of(region)], dtype=torch.float32))


def on_input(points: Tensor, geometries: Sequence[Geometry]) -> Tensor:
    """Points `[R, ..., 2]` of originals on the inputs, moved to the border where they were cropped away."""
    shape = (-1, *[1] * (points.dim() - 2), 2)
    scale = points.new_tensor([geometry.scale for geometry in geometries]).view(shape)
    offset = points.new_tensor([geometry.offset for geometry in geometries]).view(shape)
    return (points * scale + offset).clamp(0, 1)


def boxes_on_input(regions: Sequence[Prepared], group: Group) -> Tensor:
    """Boxes `[R, 4]` of a group's regions, made by `prepared_box`, on the inputs."""
    boxes = torch.cat([regions[number].inputs for number in group.numbers]).to(group.image.device)
    return on_input(boxes.view(-1, 2, 2), group.geometries).flatten(1)
