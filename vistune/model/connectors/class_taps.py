"""The class tokens of several hidden layers, through a bottleneck: LaVIN's six, Husky's four."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class ClassTaps(Connector):
    """One token for each of the hidden layers `taps` (0: the embedding): its class token, narrowed to `hidden`, SiLU, widened.

    LaVIN taps every fourth of CLIP's 24 layers (arXiv 2305.15023, section 3.3). With `norm` each tap has a layer norm of its
    own and another one stands behind the bottleneck, as in Husky, the network of EmbodiedGPT (arXiv 2305.15021). The encoder
    must keep these layers: `vision: {cls: keep, keep: [4, 8, ...]}`.
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        taps: Sequence[int] = (4, 8, 12, 16, 20, 24),
        hidden: int = 128,
        norm: bool = False,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        if not taps:
            raise InputError("connectors.class_taps.taps is empty, expected the numbers of hidden layers")
        self.taps = list(taps)
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps=eps) if norm else nn.Identity() for _ in self.taps)
        self.narrow, self.widen = nn.Linear(width, hidden), nn.Linear(hidden, out_width)
        self.norm_out = nn.LayerNorm(out_width, eps=eps) if norm else nn.Identity()

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """One a tap."""
        return len(self.taps)

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`layers[tap] [N, L, D]`, the class token first -> `[N, taps, H]`."""
        kept = features.layers or {}
        missing = [tap for tap in self.taps if tap not in kept]
        if missing:
            raise InputError(f"connectors.class_taps reads the hidden layers {missing}, which the encoder does not keep")
        # Class tokens alone: each layer tells the picture in one vector, from texture to meaning.
        seen = torch.stack([norm(kept[tap][:, 0]) for norm, tap in zip(self.norms, self.taps, strict=True)], dim=1)
        tokens: Tensor = self.norm_out(self.widen(nn.functional.silu(self.narrow(seen))))
        return tokens
