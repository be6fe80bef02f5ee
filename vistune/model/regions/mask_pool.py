"""The mean of a region's features, projected: mask pooling as in Osprey (arXiv 2312.10032, section 3.2), one level of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.features import Features, Prepared, Sight
from vistune.model.regions._places import Group, box_of, groups
from vistune.model.regions.base import RegionEncoder
from vistune.sample import Region

_SIDE = 64  # cells of a region's raster on the original, each way
_EACH = 4  # places at which a patch reads the raster, each way


class MaskPool(RegionEncoder):
    """`linear`, or a network of two layers (`mlp`), over the mean of the features under the region."""

    def __init__(self, width: int, out_width: int, network: Literal["linear", "mlp"] = "mlp") -> None:
        super().__init__()
        more = [nn.GELU(), nn.Linear(out_width, out_width)] if network == "mlp" else []
        self.network = nn.Sequential(nn.Linear(width, out_width), *more)

    def num_tokens(self) -> int:
        """One."""
        return 1

    def prepare(self, region: Region) -> Prepared:
        """`inputs [1, 64, 64]`: the share of each cell of the original that the region covers."""
        return Prepared(raster(region)[None])

    def forward(self, regions: Sequence[Prepared], media: Sequence[Sight], views: Sequence[Prepared | None]) -> list[Tensor]:
        """The token of each region, from what was seen of the medium it lies on."""
        made: dict[int, Tensor] = {}
        for group in groups(media):
            tokens = self.tokens(group.features, shares_on_input(regions, group), group.image)
            made |= dict(zip(group.numbers, tokens, strict=True))
        return [made[number] for number in range(len(regions))]

    def tokens(self, features: Features, shares: Tensor, image: Tensor) -> Tensor:
        """`shares [R, h, w]` of the patches that regions cover, each on picture `image [R]` -> `[R, 1, H]`."""
        flat = shares.flatten(1).to(features.x)
        total = flat.sum(dim=1, keepdim=True)
        # A region that was cropped away altogether reads the whole picture, not a division by zero.
        flat = torch.where(total > 0, flat / total.clamp(min=1e-6), 1 / flat.shape[1])
        token: Tensor = self.network(flat[:, None] @ features.x[image])
        return token


def raster(region: Region) -> Tensor:
    """`[64, 64]`: the share of each cell of the original that a region covers."""
    if region.mask is not None:
        return F.adaptive_avg_pool2d(torch.from_numpy(region.mask).float()[None], (_SIDE, _SIDE))[0]
    x1, y1, x2, y2 = (value * _SIDE for value in box_of(region))
    # A box covers cells partly at its edges. Coverage is a product of both axes, so two vectors are enough.
    cells = torch.arange(_SIDE, dtype=torch.float32)
    across = (torch.clamp(cells + 1, max=x2) - torch.clamp(cells, min=x1)).clamp(min=0)
    down = (torch.clamp(cells + 1, max=y2) - torch.clamp(cells, min=y1)).clamp(min=0)
    return down[:, None] * across


def shares_on_input(regions: Sequence[Prepared], group: Group) -> Tensor:
    """`[R, h, w]`: the share of each patch of the input that a region covers."""
    grid = group.features.grid
    if grid is None:
        raise InputError("regions.mask_pool needs patches in a grid: let the encoder drop its class token")
    rasters = torch.stack([regions[number].inputs for number in group.numbers]).to(group.image.device)
    rows, columns = (rasters.new_tensor(range(side * _EACH)).add(0.5) / (side * _EACH) for side in grid)
    u = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)  # places on the input, [h', w', 2]
    scale = rasters.new_tensor([geometry.scale for geometry in group.geometries])[:, None, None]
    offset = rasters.new_tensor([geometry.offset for geometry in group.geometries])[:, None, None]
    # The raster lies on the original, patches on the input: each place on the input is taken back to the original. Places
    # that are padding fall outside, where `grid_sample` reads zero.
    read = F.grid_sample(rasters, 2 * (u - offset) / scale - 1, mode="bilinear", align_corners=False)
    return F.avg_pool2d(read, _EACH)[:, 0]
