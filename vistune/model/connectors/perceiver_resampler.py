"""Learned latents that read the features of a picture: Flamingo's resampler (arXiv 2204.14198)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class PerceiverResampler(Connector):
    """`depth` rounds of cross-attention from `latents` to features and latents together, each with a feed-forward network.

    `heads` of `head_width` channels; no projection has a bias. Latents leave through a layer norm and, where the widths
    differ, a linear layer to the language model's.
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        latents: int = 64,
        depth: int = 6,
        heads: int = 8,
        head_width: int = 64,
        expansion: int = 4,
    ) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(latents, width) * 0.02)
        self.attentions = nn.ModuleList(LatentAttention(width, heads, head_width) for _ in range(depth))
        self.feed_forwards = nn.ModuleList(feed_forward(width, expansion) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.proj = nn.Identity() if width == out_width else nn.Linear(width, out_width)

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """One a latent, whatever the picture's size."""
        return len(self.latents)

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, latents, H]`."""
        latents = self.latents.expand(len(features.x), -1, -1)
        for attention, network in zip(self.attentions, self.feed_forwards, strict=True):
            latents = latents + attention(features.x, latents)
            latents = latents + network(latents)
        tokens: Tensor = self.proj(self.norm(latents))
        return tokens


class LatentAttention(nn.Module):
    """Latents ask; features and latents answer, each behind a norm of its own."""

    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_features = nn.LayerNorm(width)
        self.norm_latents = nn.LayerNorm(width)
        self.query = nn.Linear(width, heads * head_width, bias=False)
        self.key_value = nn.Linear(width, 2 * heads * head_width, bias=False)
        self.out = nn.Linear(heads * head_width, width, bias=False)

    def forward(self, features: Tensor, latents: Tensor) -> Tensor:
        """`features [N, L, D]`, `latents [N, K, D]` -> `[N, K, D]`, without the residual."""
        latents = self.norm_latents(latents)
        # Latents are among the keys, so they see each other without a self-attention of their own (Flamingo, appendix A.1.1).
        key, value = self.key_value(torch.cat([self.norm_features(features), latents], dim=1)).chunk(2, dim=-1)
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.query(latents), key, value))
        read: Tensor = self.out(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))
        return read


def feed_forward(width: int, expansion: int) -> nn.Sequential:
    """Norm, widen, GELU, narrow, without biases: the network of Flamingo's resampler and of its gated layers."""
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, expansion * width, bias=False),
        nn.GELU(),
        nn.Linear(expansion * width, width, bias=False),
    )
