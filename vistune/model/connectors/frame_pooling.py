"""Patches of all frames pooled over time, and a token a frame: the three poolings of Valley (arXiv 2306.07207, section 3.1)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors._sincos import interleaved
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid, Layout


class FramePooling(Connector):
    """T frames of L tokens become L of the same width: every token pooled over the frames.

        mean, max     of the frames (v1)
        importance    weighted by a softmax over frames of one linear score of all of a frame's patches (v2); the score has
                      weights for each patch, so their number is fixed: `patches`
        delta         the mean, plus the last step of a transformer layer over the frames of each patch (v3), of `heads` heads
                      and a network `hidden` wide

    With `cls` the first token of every frame is its class token: it is left out of the pooling and stands behind it, a token a
    frame. With `marks` learned vectors stand at the begin and the end of the patches, and of the frames.
    """

    def __init__(
        self,
        width: int,
        how: Literal["mean", "max", "importance", "delta"] = "mean",
        patches: int = 256,
        heads: int = 8,
        hidden: int = 2048,
        cls: bool = False,
        marks: bool = False,
    ) -> None:
        super().__init__()
        if how == "delta" and width % heads:
            raise InputError(f"connectors.frame_pooling: {heads} heads do not divide the width {width}")
        self.how, self.patches, self.cls = how, patches, cls
        if how == "importance":
            self.score = nn.Linear(patches * width, 1)
        if how == "delta":
            self.layer = nn.TransformerEncoderLayer(width, heads, hidden, dropout=0.0, batch_first=True)
        self.marks = nn.Parameter(torch.randn(4 if cls else 2, width) * width**-0.5) if marks else None

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as come in: pooled is a whole film, by `join`."""
        return n

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """Unchanged."""
        return features.x

    def layout_after(self, layout: Layout) -> Layout:
        """One input of the patches, a token a frame where they have class tokens, and the marks."""
        patches = layout.tokens - 1 if self.cls else layout.tokens
        if self.how == "importance" and patches != self.patches:
            raise InputError(f"connectors.frame_pooling.patches is {self.patches}, but a frame has {patches}")
        marks = 0 if self.marks is None else len(self.marks)
        return Layout(patches + (layout.inputs if self.cls else 0) + marks)

    def join(self, tokens: Tensor, layout: Layout) -> Tensor:
        """Frames `[T, (1 +) L, D]` -> the pooled patches, then the class token of each frame: `[1, L (+ T) (+ marks), D]`."""
        parts = [self.pool(tokens[:, 1:]), tokens[:, 0]] if self.cls else [self.pool(tokens)]
        if self.marks is not None:
            marks = self.marks.to(tokens)
            parts = [torch.cat([marks[2 * n, None], part, marks[2 * n + 1, None]]) for n, part in enumerate(parts)]
        return torch.cat(parts)[None]

    def pool(self, x: Tensor) -> Tensor:
        """Patches of frames `[T, L, D]` -> `[L, D]`."""
        if self.how == "max":
            return x.amax(dim=0)
        if self.how == "importance":
            # One weight for a whole frame, over the frames of the film.
            weights: Tensor = self.score(x.flatten(1)).softmax(dim=0)
            return (weights[..., None] * x).sum(dim=0)
        return x.mean(dim=0) + self._delta(x) if self.how == "delta" else x.mean(dim=0)

    def _delta(self, x: Tensor) -> Tensor:
        """The last frame's step of each patch: `[T, L, D]` -> `[L, D]`."""
        places = interleaved(len(x), x.shape[2], device=x.device).to(x)
        last: Tensor = self.layer(x.transpose(0, 1) + places)[:, -1]
        return last
