"""Self-attention over the tokens of all frames of a film: Macaw-LLM (arXiv 2306.09093, section 3.1)."""

from __future__ import annotations

from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors._sincos import interleaved
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid, Layout


class FrameAttention(Connector):
    """T inputs of L tokens become one of T L tokens that attended to each other, without a residual.

    Sine-cosine places count the tokens of the whole film; their frequencies fall twice as fast as usual, as in the published
    code. Keys and values get a learned row and a row of zeros beside them.
    """

    def __init__(self, width: int, heads: int = 8) -> None:
        super().__init__()
        if width % heads:
            raise InputError(f"connectors.frame_attention: {heads} heads do not divide the width {width}")
        self.attention = nn.MultiheadAttention(width, heads, add_bias_kv=True, add_zero_attn=True, batch_first=True)

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as come in."""
        return n

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """Unchanged."""
        return features.x

    def layout_after(self, layout: Layout) -> Layout:
        """One input of all tokens."""
        return Layout(layout.total)

    def join(self, tokens: Tensor, layout: Layout) -> Tensor:
        """`[T, L, D]` -> `[1, T L, D]`."""
        x = tokens.flatten(0, 1)[None]
        x = x + interleaved(x.shape[1], x.shape[2], power=2.0, device=x.device).to(x)
        seen: Tensor = self.attention(x, x, x, need_weights=False)[0]
        return seen
