"""Two encoders side by side, their tokens joined by channel or one behind the other."""

from __future__ import annotations

from math import prod
from typing import Literal

import torch
from PIL import Image
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.encoders._squares import Fit
from vistune.model.encoders.base import ImageEncoder
from vistune.model.features import Features, Grid, Prepared
from vistune.spec import Spec, build


class Pair(ImageEncoder):
    """`first` and `second` see the same picture, each at its own size, placed on the square by the same `fit`.

    `join="channel"` needs the same grid of both and adds up the widths (Prismatic VLMs, arXiv 2402.07865, section 4.2);
    `join="token"` needs the same width and puts the second's tokens behind the first's.
    """

    def __init__(
        self,
        first: Spec,
        second: Spec,
        join: Literal["channel", "token"] = "channel",
        fit: Fit = "pad",
        load_weights: bool = True,
    ) -> None:
        super().__init__()
        self.first: ImageEncoder = build("vistune.model.encoders", first, ImageEncoder, fit=fit, load_weights=load_weights)
        self.second: ImageEncoder = build("vistune.model.encoders", second, ImageEncoder, fit=fit, load_weights=load_weights)
        self.join, self.size = join, max(self.first.size, self.second.size)
        widths, grids = (self.first.width, self.second.width), (self.first.grid((1, 1)), self.second.grid((1, 1)))
        if join == "channel" and (grids[0] != grids[1] or grids[0] is None):
            raise InputError(f"encoders.pair joins by channel, but the grids are {grids[0]} and {grids[1]}: set one's size")
        if join == "token" and widths[0] != widths[1]:
            raise InputError(f"encoders.pair joins by token, but the widths are {widths[0]} and {widths[1]}")
        self.width = sum(widths) if join == "channel" else widths[0]

    @property
    def blocks(self) -> nn.ModuleList:
        """The first's, then the second's."""
        return nn.ModuleList([*self.first.blocks, *self.second.blocks])

    def prepare(self, image: Image.Image) -> Prepared:
        """Both encoders' pixels in one row, `[1, 3 * first.size ** 2 + 3 * second.size ** 2]`; the geometry is the first's."""
        views = [encoder.prepare(image) for encoder in (self.first, self.second)]
        # Two sizes in one tensor: flattened side by side, since inputs of a medium travel as one tensor with equal rows.
        return Prepared(torch.cat([view.inputs.flatten(1) for view in views], dim=1), views[0].geometry)

    def grid(self, size: tuple[int, int]) -> Grid | None:
        """The shared grid, or None for two grids one behind the other."""
        return self.first.grid(size) if self.join == "channel" else None

    def num_tokens(self, size: tuple[int, int]) -> int:
        """The first's, and the second's where they stand behind."""
        return self.first.num_tokens(size) + (self.second.num_tokens(size) if self.join == "token" else 0)

    def forward(self, pixels: Tensor) -> Features:
        """`pixels [N, ...]` as `prepare` lays them -> `[N, L, first.width + second.width]` or `[N, L1 + L2, width]`."""
        shapes = [(3, encoder.size, encoder.size) for encoder in (self.first, self.second)]
        one, two = pixels.split([prod(shape) for shape in shapes], dim=1)
        seen = self.first(one.unflatten(1, shapes[0])), self.second(two.unflatten(1, shapes[1]))
        x = torch.cat([features.x for features in seen], dim=-1 if self.join == "channel" else 1)
        return Features(x, self.grid((self.size, self.size)))
