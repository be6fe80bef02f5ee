"""A token for a box from four levels of the encoder: GPT4RoI (arXiv 2307.03601, section 3.1), used by GLaMM as well."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.features import Features, Grid, Prepared, Sight
from vistune.model.regions._places import boxes_on_input, groups, prepared_box
from vistune.model.regions.base import RegionEncoder
from vistune.model.sampling.roi_align import roi_align
from vistune.sample import Region


class MultiLevelRoi(RegionEncoder):
    """Levels fused, RoIs cut out of each and summed, the box's place added: one token.

    `layers` are hidden layers of the encoder, shallow to deep, each resized to twice the side of the next: a pyramid. `rounds`
    of a convolution shared by the levels mix channels of neighbouring levels. From each map `size` x `size` bins of the box
    are read at 2 x 2 places; their sum, flattened, becomes `middle` channels. `place_hidden` is the width inside the network
    that turns the box's coordinates into channels to add.

    `coordinate_scale` shrinks boxes towards the top left corner before the maps are read. GLaMM multiplies boxes by 224
    although its maps span 336 pixels: its weights need 224 / 336.
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        layers: Sequence[int] = (-11, -8, -5, -2),
        rounds: int = 5,
        groups: int = 64,
        size: int = 14,
        middle: int = 1024,
        place_hidden: int = 256,
        coordinate_scale: float = 1.0,
    ) -> None:
        super().__init__()
        if width % 4 or width % groups:
            raise InputError(f"regions.multi_level_roi: the width {width} is not a multiple of 4 and of the {groups} groups")
        self.layers, self.size, self.coordinate_scale = list(layers), size, coordinate_scale
        self.enter = nn.ModuleList(nn.Conv2d(width + 2, width, 1) for _ in layers)
        self.fuse = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.GroupNorm(groups, width), nn.ReLU())
            for _ in range(rounds)
        )
        self.after_roi = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in layers)
        self.flatten = nn.Linear(width * size * size, middle)
        self.place = nn.Sequential(
            nn.Linear(4, place_hidden),
            nn.ReLU(),
            nn.LayerNorm(place_hidden),
            nn.Linear(place_hidden, middle),
            nn.ReLU(),
            nn.LayerNorm(middle),
        )
        self.out = nn.Linear(middle, out_width)

    def num_tokens(self) -> int:
        """One."""
        return 1

    def prepare(self, region: Region) -> Prepared:
        """The box of a region."""
        return prepared_box(region)

    def forward(self, regions: Sequence[Prepared], media: Sequence[Sight], views: Sequence[Prepared | None]) -> list[Tensor]:
        """Tokens of each region, from what was seen of the medium it lies on."""
        made: dict[int, Tensor] = {}
        for group in groups(media):
            tokens = self.tokens(group.features, boxes_on_input(regions, group), group.image)
            made |= dict(zip(group.numbers, tokens, strict=True))
        return [made[number] for number in range(len(regions))]

    def tokens(self, features: Features, boxes: Tensor, image: Tensor) -> Tensor:
        """`boxes [R, 4]`, xyxy in [0, 1] of the encoder's input, each on picture `image [R]` of N -> `[R, 1, H]`."""
        maps = self.fused(features)
        read = self.rois(maps, boxes, image)
        middle = self.flatten(F.relu(read).flatten(1))
        token: Tensor = self.out(middle + self.place(boxes))
        return token[:, None]

    def fused(self, features: Features) -> list[Tensor]:
        """The pyramid `[N, D, side, side]` of each level, largest first, behind all rounds."""
        if features.grid is None or features.layers is None:
            raise InputError("regions.multi_level_roi needs patches in a grid, and an encoder that keeps its hidden layers")
        maps = [self._enlarged(features.layers[layer], features.grid, level) for level, layer in enumerate(self.layers)]
        maps = [enter(torch.cat([level, _coordinates(level)], dim=1)) for enter, level in zip(self.enter, maps, strict=True)]
        for fuse in self.fuse:
            # All levels are mixed from the maps of the round before; changing them one by one would feed a level its
            # neighbour's new state.
            maps = [fuse(_mixed(maps, level)) for level in range(len(maps))]
        return maps

    def rois(self, maps: Sequence[Tensor], boxes: Tensor, image: Tensor) -> Tensor:
        """`[R, D, size, size]`: the bins of every level, each behind a convolution of its own, summed."""
        summed = []
        for after, level in zip(self.after_roi, maps, strict=True):
            # Width before height: boxes are xyxy, maps are rows by columns.
            cells = boxes.new_tensor([level.shape[3], level.shape[2]]).repeat(2) * self.coordinate_scale
            summed.append(after(roi_align(level, boxes * cells, image, self.size, samples=2)))
        return torch.stack(summed).sum(dim=0)

    def _enlarged(self, tokens: Tensor, grid: Grid, level: int) -> Tensor:
        """A layer `[N, L, D]` as a map; the deepest keeps the grid's size, each shallower one has twice the side."""
        times = 2 ** (len(self.layers) - 1 - level)
        patches = tokens.transpose(1, 2).unflatten(2, grid)
        return _resized(patches, (grid[0] * times, grid[1] * times))


def _mixed(maps: Sequence[Tensor], level: int) -> Tensor:
    """Half the channels of the level's own, a quarter of the deeper neighbour's, a quarter of the shallower one's.

        own       ████████░░░░░░░░   first half
        deeper    ░░░░░░░░░░░░████   last quarter
        shallower ░░░░░░░░████░░░░   third quarter

    At both ends of the pyramid a level is its own neighbour.
    """
    own = maps[level]
    half, quarter = own.shape[1] // 2, own.shape[1] // 4
    deeper, shallower = maps[min(level + 1, len(maps) - 1)], maps[max(level - 1, 0)]
    taken = _resized(deeper[:, half + quarter :], own.shape[2:]), _resized(shallower[:, half : half + quarter], own.shape[2:])
    return torch.cat([own[:, :half], *taken], dim=1)


def _resized(maps: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=True)


def _coordinates(maps: Tensor) -> Tensor:
    """Two channels: x, then y, from -1 to 1."""
    y = torch.linspace(-1, 1, maps.shape[2], device=maps.device, dtype=maps.dtype)
    x = torch.linspace(-1, 1, maps.shape[3], device=maps.device, dtype=maps.dtype)
    return torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1]).expand(len(maps), -1, -1, -1)
