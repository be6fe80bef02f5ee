"""An encoder of sounds, from the contributing page alone: how loud each stretch of a sound is."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.model.encoders.base import Encoder
from vistune.model.features import Features, Layout, Prepared
from vistune.sample import Media


class Loudness(Encoder):
    """The root mean square of `stretches` equal stretches, in decibels, and its change from one stretch to the next."""

    reads = ("audio",)
    begins = "random"

    def __init__(self, stretches: int = 8, width: int = 16) -> None:
        super().__init__()
        self.stretches, self.width = stretches, width
        self.proj = nn.Linear(2, width)

    @property
    def blocks(self) -> nn.ModuleList:
        """None."""
        return nn.ModuleList()

    def layout(self, medium: Media, where: str = "") -> Layout:
        """The same for every sound."""
        return Layout(self.stretches)

    def prepare(self, decoded: Any) -> Prepared:
        """`[1, stretches, 2]`."""
        mono = torch.from_numpy(decoded.samples.mean(axis=1))
        power = F.adaptive_avg_pool1d(mono.square()[None, None], self.stretches)[0, 0]
        level = 10 * torch.log10(power + 1e-8)
        change = torch.diff(level, prepend=level[:1])
        return Prepared(torch.stack([level, change], dim=-1)[None] / 10, layout=Layout(self.stretches))

    def forward(self, inputs: Tensor) -> Features:
        """`[N, stretches, 2]` -> `[N, stretches, width]`."""
        return Features(self.proj(inputs))
