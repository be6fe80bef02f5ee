"""Small parts of every kind, for tests of what a model does with them whatever they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.data.media.points import load_points
from vistune.model.encoders.base import Encoder
from vistune.model.features import Features, Layout, Prepared, Sight, Thing
from vistune.model.heads.base import Head, Loss, Made
from vistune.model.modalities.base import Seen
from vistune.model.regions.base import RegionEncoder
from vistune.prompt.writer import Places, Stretch, Trigger, Words
from vistune.sample import Media, Part, Produce, Region, Sample


class Levels(Encoder):
    """A sound as the mean level of each of `count` stretches."""

    reads = ("audio",)
    begins = "random"

    def __init__(self, width: int = 12, count: int = 6) -> None:
        super().__init__()
        self.width, self.count = width, count
        self.proj = nn.Linear(1, width)

    @property
    def blocks(self) -> nn.ModuleList:
        return nn.ModuleList()

    def layout(self, medium: Media, where: str = "") -> Layout:
        return Layout(self.count)

    def prepare(self, decoded: Any) -> Prepared:
        mono = torch.from_numpy(decoded.samples.mean(axis=1))
        levels = F.adaptive_avg_pool1d(mono[None, None], self.count)
        return Prepared(levels.view(1, self.count, 1), layout=Layout(self.count))

    def forward(self, inputs: Tensor) -> Features:
        return Features(self.proj(inputs))


class Cloud(Encoder):
    """A point cloud as its first `count` points."""

    reads = ("points",)
    begins = "random"

    def __init__(self, width: int = 10, count: int = 5) -> None:
        super().__init__()
        self.width, self.count = width, count
        self.proj = nn.Linear(6, width)

    @property
    def blocks(self) -> nn.ModuleList:
        return nn.ModuleList()

    def layout(self, medium: Media, where: str = "") -> Layout:
        return Layout(self.count)

    def prepare(self, decoded: Any) -> Prepared:
        return Prepared(torch.from_numpy(np.ascontiguousarray(decoded[: self.count]))[None], layout=Layout(self.count))

    def read(self, medium: Media, where: str = "") -> Prepared:
        return self.prepare(load_points(medium, where))

    def forward(self, inputs: Tensor) -> Features:
        return Features(self.proj(inputs))


class BoxMean(RegionEncoder):
    """The mean of the patches whose centres lie in a region's box."""

    def __init__(self, width: int, out_width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, out_width)

    def num_tokens(self) -> int:
        return 1

    def prepare(self, region: Region) -> Prepared:
        return Prepared(torch.tensor([region.bounds()], dtype=torch.float32))

    def forward(self, regions: Sequence[Prepared], media: Sequence[Sight], views: Sequence[Prepared | None]) -> list[Tensor]:
        tokens = []
        for region, sight in zip(regions, media, strict=True):
            assert sight.features.grid is not None
            x1, y1, x2, y2 = sight.prepared.geometry.box_to_input(tuple(region.inputs[0].tolist()))
            rows, columns = sight.features.grid
            ys, xs = (torch.arange(rows) + 0.5) / rows, (torch.arange(columns) + 0.5) / columns
            inside = ((ys >= y1) & (ys <= y2))[:, None] & ((xs >= x1) & (xs <= x2))[None]
            weights = inside.flatten().float() if inside.any() else torch.ones(rows * columns)
            pooled = (sight.features.x[0] * weights[:, None].to(sight.features.x)).sum(0) / weights.sum()
            tokens.append(self.proj(pooled)[None])
        return tokens


class PatchMask(Head):
    """A mask of patches: those whose projection agrees with that of the state that predicts `[SEG]`."""

    makes = ("produce_mask",)
    tokens = ("[SEG]",)
    losses: Mapping[str, float] = {"mask_bce": 2.0}

    def __init__(self, width: int, seen_width: int, inner: int = 8) -> None:
        super().__init__()
        self.text, self.look = nn.Linear(width, inner), nn.Linear(seen_width, inner)

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        return [Trigger("[SEG]")]

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        assert isinstance(part, Region) and part.mask is not None
        return Prepared(torch.from_numpy(part.mask.astype(np.float32))[None])

    def _logits(self, states: Tensor, thing: Thing, seen: Seen) -> Tensor:
        assert thing.on is not None
        features = seen[thing.on[0]][thing.on[1]].features
        assert features.grid is not None
        return (self.look(features.x[0]) @ self.text(states[0])).view(features.grid)

    def loss(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> dict[str, Loss]:
        total = hidden[0].new_zeros(())
        for states, thing in zip(hidden, things, strict=True):
            logits = self._logits(states, thing, seen)
            target = F.adaptive_avg_pool2d(thing.ready.inputs[None].to(logits), logits.shape)[0, 0]
            total = total + F.binary_cross_entropy_with_logits(logits, target)
        return {"mask_bce": Loss(total, "produce_mask")}

    def decode(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> list[Made]:
        logits = [self._logits(states, thing, seen) for states, thing in zip(hidden, things, strict=True)]
        return [Region(mask=(each > 0).cpu().numpy()) for each in logits]


class Signals(Head):
    """A 4 x 4 picture from the states of two signal tokens themselves."""

    makes = ("produce_image",)
    state = "own"
    tokens = ("[IMG0]", "[IMG1]")
    losses: Mapping[str, float] = {"pixels": 1.0}

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(2 * width, 48)

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        return [Trigger(token) for token in self.tokens]

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        assert isinstance(part, Produce)
        picture = torch.from_numpy(np.array(sample.media[part.index].data)).permute(2, 0, 1)[None] / 255
        return Prepared(F.adaptive_avg_pool2d(picture, 4)[0].flatten()[None])

    def loss(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> dict[str, Loss]:
        pairs = zip(hidden, things, strict=True)
        return {"pixels": Loss(sum((self._made(h) - t.ready.inputs[0]).square().mean() for h, t in pairs), "produce_image")}  # type: ignore[arg-type]

    def _made(self, states: Tensor) -> Tensor:
        return self.proj(states.flatten()).sigmoid()

    def decode(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> list[Made]:
        pixels = [(255 * self._made(states)).round().byte().view(3, 4, 4).permute(1, 2, 0) for states in hidden]
        return [Media("image", data=each.cpu().numpy()) for each in pixels]


class Dreams(Signals):
    """The same from three queries of the head's own, which stand between two words of the answer."""

    fills = True
    tokens = ("<dream>", "</dream>")
    opens = "<dream>"

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.proj = nn.Linear(3 * width, 48)
        self.queries = nn.Parameter(torch.randn(3, width) * 0.1)

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        return [Words("<dream>"), Places(3), Words("</dream>")]

    def fill(self, count: int) -> Tensor:
        return self.queries
