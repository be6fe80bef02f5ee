"""Tokens of all frames (or stretches of a sound) one behind the other, each with the learned place of its frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid, Layout


class FrameConcat(Connector):
    """T inputs of L tokens become one of T L tokens, frame by frame: what a Q-Former or a resampler behind it reads.

    `positions` learned vectors, one a frame, are added to all tokens of it (Video-LLaMA, arXiv 2306.02858, section 2.1.1;
    ChatBridge; Flamingo's frames); 0 adds none. A film of more frames than positions is refused.
    """

    def __init__(self, width: int, positions: int = 32) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(positions, width) * 0.02) if positions else None

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as come in."""
        return n

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """Unchanged."""
        return features.x

    def layout_after(self, layout: Layout) -> Layout:
        """One input of all tokens."""
        if self.positions is not None and layout.inputs > len(self.positions):
            raise InputError(
                f"connectors.frame_concat has {len(self.positions)} positions, but a medium has {layout.inputs} frames: "
                "set its positions, or let the modality take fewer frames"
            )
        return Layout(layout.total)

    def join(self, tokens: Tensor, layout: Layout) -> Tensor:
        """`[T, L, D]` -> `[1, T L, D]`."""
        if self.positions is not None:
            tokens = tokens + self.positions[: len(tokens), None].to(tokens)
        return tokens.flatten(0, 1)[None]
