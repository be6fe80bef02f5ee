"""A head for masks, from the contributing page alone: the patches whose features lie near what the answer means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.model.features import Prepared, Thing
from vistune.model.heads.base import Head, Loss, Made
from vistune.model.modalities.base import Seen
from vistune.prompt.writer import Stretch, Trigger
from vistune.sample import Part, Region, Sample


class NearestPatches(Head):
    """A patch belongs to the mask where the cosine of its feature and the state at `[SEG]`, both projected, is above 0."""

    makes = ("produce_mask",)
    tokens = ("[SEG]",)
    losses: Mapping[str, float] = {"patches": 1.0}

    def __init__(self, width: int, seen_width: int, inner: int = 8, sharpness: float = 10.0) -> None:
        super().__init__()
        self.meaning, self.look = nn.Linear(width, inner), nn.Linear(seen_width, inner)
        self.sharpness = sharpness

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """One token."""
        return [Trigger("[SEG]")]

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """The mask as `[1, height, width]`."""
        assert isinstance(part, Region) and part.mask is not None
        return Prepared(torch.from_numpy(part.mask).float()[None])

    def loss(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> dict[str, Loss]:
        """The binary cross-entropy of the patches, a mean over each mask."""
        sums = []
        for states, thing in zip(hidden, things, strict=True):
            logits = self._logits(states, thing, seen)
            share = F.adaptive_avg_pool2d(thing.ready.inputs.to(logits)[None], logits.shape)[0, 0]
            sums.append(F.binary_cross_entropy_with_logits(logits, share))
        return {"patches": Loss(torch.stack(sums).sum(), "produce_mask")}

    def decode(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> list[Made]:
        """A mask of patches for each thing."""
        logits = [self._logits(states, thing, seen) for states, thing in zip(hidden, things, strict=True)]
        return [Region(mask=(each > 0).cpu().numpy()) for each in logits]

    def _logits(self, states: Tensor, thing: Thing, seen: Seen) -> Tensor:
        """Of each patch, laid out as the grid of the picture's features."""
        assert thing.on is not None
        kind, number = thing.on
        features = seen[kind][number].features
        assert features.grid is not None
        meant, there = F.normalize(self.meaning(states[0]), dim=-1), F.normalize(self.look(features.x[0]), dim=-1)
        return (self.sharpness * (there @ meant)).view(features.grid)
