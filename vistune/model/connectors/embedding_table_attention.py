"""Features as mixtures of the language model's own words: the alignment of Macaw-LLM (arXiv 2306.09093, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class EmbeddingTableAttention(Connector):
    """A convolution over the sequence shortens it, a linear layer widens it, then every token attends to all words.

    Keys and values are the language model's embedding table, with a learned row and a row of zeros beside it; there is no
    residual, so that a token is a mixture of projected words. `kernel` and `stride` are the convolution's, without padding:
    of L tokens (L - kernel) // stride + 1 are left. `vocabulary` gives the table `[V, H]`.
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        vocabulary: Callable[[], Tensor],
        kernel: int = 48,
        stride: int = 36,
        heads: int = 8,
    ) -> None:
        super().__init__()
        if out_width % heads:
            raise InputError(
                f"connectors.embedding_table_attention: {heads} heads do not divide {out_width}, the width of words"
            )
        self.shorten = nn.Conv1d(width, width, kernel, stride)
        self.proj = nn.Linear(width, out_width)
        self.attention = nn.MultiheadAttention(out_width, heads, add_bias_kv=True, add_zero_attn=True, batch_first=True)
        self.kernel, self.stride = kernel, stride
        # A function, not the table: the embedding is the language model's own parameter, may grow, and must not be saved
        # twice.
        self._vocabulary = vocabulary

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """What the convolution leaves."""
        if n < self.kernel:
            raise InputError(f"connectors.embedding_table_attention.kernel is {self.kernel}, but there are only {n} tokens")
        return (n - self.kernel) // self.stride + 1

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, K, H]`."""
        short = self.shorten(features.x.transpose(1, 2)).transpose(1, 2)
        words = self._vocabulary().to(short).expand(len(short), -1, -1)
        mixed: Tensor = self.attention(self.proj(short), words, words, need_weights=False)[0]
        return mixed
