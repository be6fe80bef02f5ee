"""Embeddings of a joint space brought to length one, then a linear layer: the entrance of ImageBind-LLM (arXiv 2309.03905)."""

from __future__ import annotations

from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor

from vistune.model.connectors.base import TextContext
from vistune.model.connectors.linear import Linear
from vistune.model.features import Features


class UnitLinear(Linear):
    """`W x / |x| + b`, token by token. Made of this layer, a weighted mean of media is that of their embeddings."""

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, L, H]`."""
        return super().forward(replace(features, x=F.normalize(features.x, dim=-1)), text)
