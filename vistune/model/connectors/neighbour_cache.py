"""Embeddings mixed with their nearest neighbours of another modality, when answering: the cache of ImageBind-LLM."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid
from vistune.model.weights.tensors import read_tensors


class NeighbourCache(Connector):
    """A model that was taught on pictures hears a sound as the pictures nearest to it (arXiv 2309.03905, section 3.3).

    `path` holds unit vectors `[M, D]` of a joint space (safetensors, one tensor). An embedding is mixed, with weight `mix`,
    with the mean of its `neighbours` nearest ones by inner product, weighted by a softmax of `temperature` times the product.
    Nothing is done in training, and nothing to the modalities of `spared`.
    """

    def __init__(
        self,
        width: int,
        path: str,
        neighbours: int = 10,
        temperature: float = 20.0,
        mix: float = 0.5,
        spared: tuple[str, ...] = ("image",),
    ) -> None:
        super().__init__()
        tensors = list(read_tensors(path).values())
        if len(tensors) != 1 or tensors[0].dim() != 2 or tensors[0].shape[1] != width:
            raise InputError(f"connectors.neighbour_cache.path: {path} does not hold one tensor [M, {width}]")
        if not 1 <= neighbours <= len(tensors[0]):
            raise InputError(f"connectors.neighbour_cache.neighbours is {neighbours}, expected 1 to {len(tensors[0])}")
        self.neighbours, self.temperature, self.mix, self.spared = neighbours, temperature, mix, spared
        self.register_buffer("kept", tensors[0].float(), persistent=False)

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as come in."""
        return n

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> unit vectors `[N, L, D]`."""
        # ImageBind-LLM is taught on pictures and looks others up only when it answers: in training there is nothing to
        # bridge.
        if self.training or (text is not None and text.kind in self.spared):
            return features.x
        kept: Any = self.kept
        x = F.normalize(features.x.float(), dim=-1)
        likeness, rows = (x @ kept.T).topk(self.neighbours, dim=-1)
        weights = (self.temperature * likeness).softmax(dim=-1)
        nearby = F.normalize((weights[..., None] * kept[rows]).sum(dim=-2), dim=-1)
        return F.normalize((1 - self.mix) * x + self.mix * nearby, dim=-1).to(features.x)
