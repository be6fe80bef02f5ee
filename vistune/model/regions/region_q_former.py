"""Queries made of a box beside learned ones: the location-aware Q-Former of the All-Seeing Model (arXiv 2308.01907, 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

import torch
from torch import Tensor, nn
from transformers import Blip2QFormerConfig, Blip2QFormerModel

from vistune.errors import InputError
from vistune.model.features import Features, Grid, Prepared, Sight
from vistune.model.regions._places import boxes_on_input, groups, prepared_box
from vistune.model.regions.base import RegionEncoder
from vistune.model.sampling.roi_align import roi_align
from vistune.sample import Region


class RegionQFormer(RegionEncoder):
    """`queries` learned queries and as many made of the box attend to each other and to the whole picture.

    The box is read from the features by `size` x `size` bins with one sample a cell; a network of two layers makes queries of
    them. All `2 * queries` outputs are projected. Features enter through a norm; to them is added a learned position embedding
    of `positions` tokens (the class token included; 0: none), scaled by channel, which begins at zero.

    The transformer is that of `transformers` (BLIP-2's): `hidden` wide, `intermediate` inside (four times `hidden` where None),
    `layers` deep, with attention to the picture in every `cross_every`-th.
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        queries: int = 32,
        size: int = 7,
        positions: int = 257,
        hidden: int = 768,
        layers: int = 12,
        heads: int = 12,
        cross_every: int = 2,
        intermediate: int | None = None,
    ) -> None:
        super().__init__()
        if hidden % heads:
            raise InputError(f"regions.region_q_former: {heads} heads do not divide the hidden width {hidden}")
        self.size = size
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.position = nn.Parameter(torch.randn(positions, width)) if positions else None
        # At zero the table of random positions changes nothing at first, and each channel decides how much of it to use.
        self.position_scale = nn.Parameter(torch.zeros(width)) if positions else None
        self.queries = nn.Parameter(torch.randn(queries, hidden) * 0.02)
        self.from_box = nn.Sequential(
            nn.Linear(width * size * size, hidden),
            nn.GELU(),
            nn.Linear(hidden, hidden * queries),
            nn.Unflatten(1, (queries, hidden)),
        )
        config = Blip2QFormerConfig(
            hidden_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=intermediate or 4 * hidden,
            cross_attention_frequency=cross_every,
            encoder_hidden_size=width,
        )
        self.model = Blip2QFormerModel(config)
        self.proj = nn.Linear(hidden, out_width)

    def num_tokens(self) -> int:
        """One a query, learned and made of the box."""
        return 2 * len(self.queries)

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
        """`boxes [R, 4]`, xyxy in [0, 1] of the encoder's input, each on picture `image [R]` -> `[R, 2 * queries, H]`."""
        x = self.placed(features)
        # Learned queries first: the order of the released weights' embedding.
        queries = torch.cat(
            [self.queries.expand(len(boxes), -1, -1), self.region_queries(x, grid_of(features), boxes, image)], dim=1
        )
        tokens: Tensor = self.proj(self.model(query_embeds=queries, encoder_hidden_states=x[image]).last_hidden_state)
        return tokens

    def placed(self, features: Features) -> Tensor:
        """Normed features `[N, L, D]` with their positions."""
        x: Tensor = self.norm(features.x)
        if self.position is None or self.position_scale is None:
            return x
        if len(self.position) != x.shape[1]:
            raise InputError(
                f"regions.region_q_former has {len(self.position)} positions, but the encoder gives {x.shape[1]} tokens"
            )
        return x + self.position * self.position_scale

    def region_queries(self, x: Tensor, grid: Grid, boxes: Tensor, image: Tensor) -> Tensor:
        """Queries `[R, queries, hidden]` made of the boxes."""
        patches = x[:, x.shape[1] - grid[0] * grid[1] :]  # without a class token in front
        maps = patches.transpose(1, 2).unflatten(2, grid)
        cells = boxes.new_tensor([grid[1], grid[0]]).repeat(2)
        queries: Tensor = self.from_box(roi_align(maps, boxes * cells, image, self.size).flatten(1))
        return queries


def grid_of(features: Features) -> Grid:
    """The patches' layout; where a class token stands in front of them, a square."""
    if features.grid is not None:
        return features.grid
    side = isqrt(features.x.shape[1] - 1)
    if side * side != features.x.shape[1] - 1:
        raise InputError("regions need patches in a grid, with one class token in front of a square or none")
    return side, side
