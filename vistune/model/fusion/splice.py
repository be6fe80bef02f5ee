"""Visual tokens take the places of placeholders in the input sequence: LLaVA's fusion, and most others'."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from vistune.model.fusion.base import Fusion, shown
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import Slots


class Splice(Fusion):
    """Nothing is installed in the language model; one indexed assignment puts tokens in place."""

    def install(self, language_model: LanguageModel) -> None:
        """Nothing to do."""

    def prepare(self, text: Inputs, tokens: list[Tensor], slots: Slots) -> Inputs:
        """`tokens[which] [K, H]` at the slots."""
        return splice(text, tokens, slots)


def splice(text: Inputs, tokens: list[Tensor], slots: Slots) -> Inputs:
    """The row with `tokens[which] [K, H]` at each slot of K places."""
    where = shown(slots)
    if not where:
        return text
    index = torch.cat([torch.arange(slot.start, slot.start + slot.length) for slot in where]).to(text.embeds.device)
    values = torch.cat([tokens[slot.which] for slot in where]).to(text.embeds.dtype)
    return replace(text, embeds=text.embeds.index_put((index,), values))
