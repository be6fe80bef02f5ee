"""Means over space and over time, one behind the other: the film tokens of Video-ChatGPT (arXiv 2306.05424, section 3.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid, Layout


class SpatialTemporalPooling(Connector):
    """T frames of L patches become `frames` + L tokens of the same width; a projection stands behind it.

        frame 0 .. T-1     mean over its patches
        rows of zeros      up to `frames`: the projection makes its bias of them, as in the published model
        patch 0 .. L-1     mean over the T real frames

    A film of more than `frames` frames keeps all of them.
    """

    def __init__(self, frames: int = 100) -> None:
        super().__init__()
        if frames < 1:
            raise InputError(f"connectors.spatial_temporal_pooling.frames is {frames}, expected at least 1")
        self.frames = frames

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as come in: pooled is a whole film, by `join`."""
        return n

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """Unchanged."""
        return features.x

    def layout_after(self, layout: Layout) -> Layout:
        """One input: a token a frame, a token a patch."""
        return Layout(max(layout.inputs, self.frames) + layout.tokens)

    def join(self, tokens: Tensor, layout: Layout) -> Tensor:
        """`[T, L, D]` -> `[1, max(T, frames) + L, D]`."""
        missing = max(0, self.frames - len(tokens))
        return torch.cat([F.pad(tokens.mean(dim=1), (0, 0, 0, missing)), tokens.mean(dim=0)])[None]
