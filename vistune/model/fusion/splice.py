"""Visual tokens take the places of placeholders in the input sequence: LLaVA's fusion, and most others'."""

from __future__ import annotations

from dataclasses import replace

import torch

from vistune.model.fusion.base import Fusion, Tokens, placed
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import Slots


class Splice(Fusion):
    """Nothing is installed in the language model; one indexed assignment puts tokens in place."""

    def install(self, language_model: LanguageModel) -> None:
        """Nothing to do."""

    def prepare(self, text: Inputs, tokens: Tokens, slots: Slots) -> Inputs:
        """Tokens at their slots."""
        return splice(text, tokens, slots)


def splice(text: Inputs, tokens: Tokens, slots: Slots) -> Inputs:
    """The row with the tokens `[K, H]` of each thing at its slots of K places."""
    where, values = placed(tokens, slots)
    if not where:
        return text
    index = torch.cat([torch.arange(slot.start, slot.start + slot.length) for slot in where]).to(text.embeds.device)
    # Not in place: `Inputs` are values, and a fusion of several passes still needs the row as it was.
    return replace(text, embeds=text.embeds.index_put((index,), torch.cat(values).to(text.embeds.dtype)))
