"""Visual tokens take the places of placeholders in the input sequence: LLaVA's fusion, and most others'."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.model.fusion.base import Fusion, Inputs
from vistune.prompt.render import Slots


class Splice(Fusion):
    """Nothing is installed in the language model; one indexed assignment puts tokens in place."""

    def prepare(self, embeds: Tensor, tokens: list[Tensor], slots: Slots) -> Inputs:
        """`embeds [T, H]` with `tokens[which] [K, H]` at the image slots."""
        where = [slot for kind in ("image", "video") for slot in slots.get(kind, [])]
        if not where:
            return Inputs(embeds)
        index = torch.cat([torch.arange(slot.start, slot.start + slot.length) for slot in where]).to(embeds.device)
        values = torch.cat([tokens[slot.which] for slot in where]).to(embeds.dtype)
        return Inputs(embeds.index_put((index,), values))

    def install(self, language_model: nn.Module) -> None:
        """Nothing to do."""
