"""A visual expert in every layer, and a picture that takes three positions: CogVLM (arXiv 2311.03079, section 2.1).

tokens      <s>   begin  p  p  p  p  end   What  is
positions    0      1    2  2  2  2   3     4     5
expert              x    x  x  x  x
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.fusion._visual import over_visual
from vistune.model.fusion.base import Added, Fusion, Tokens, placed
from vistune.model.language.causal import LanguageModel
from vistune.model.language.experts import add_experts, has_expert, visual_places
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import Slot, Slots


class VisualExperts(Fusion):
    """Visual tokens have their own copy of every matrix of every layer; attention is joint and causal.

    Learned vectors `begin` and `end` stand around a picture. The expert serves the picture and `begin`, not `end`. All tokens
    of a picture share one position, so that text behind a large picture stands no further away.
    """

    def install(self, language_model: LanguageModel) -> None:
        """Copy every linear layer; `begin` and `end` start as the mean embedding."""
        linear = {name for name, module in language_model.blocks[0].named_modules() if isinstance(module, nn.Linear)}
        if not linear:
            raise InputError("fusion.visual_experts found no linear layer in the language model's blocks")
        self.experts = add_experts(language_model.hooks, sorted(linear))
        mean = language_model.embeddings.detach().mean(dim=0)
        self.begin, self.end = nn.Parameter(mean.clone()), nn.Parameter(mean.clone())

    def places(self, count: int) -> int:
        """The tokens, `begin` and `end`."""
        return count + 2

    def added(self) -> list[Added]:
        """The copies' products, over visual places."""
        return [over_visual(self.experts)]

    def replaces(self, layer: int, name: str) -> bool:
        """Whatever has a copy."""
        return has_expert(self.experts, layer, name)

    def prepare(self, text: Inputs, tokens: Tokens, slots: Slots) -> Inputs:
        """Media between `begin` and `end`, with the modality of what the expert serves and the shared positions."""
        (where, media), device = placed(tokens, slots), text.embeds.device
        # `end` is left to the text's matrices: CogVLM's released mask shifts by one, so that the last place of a picture
        # counts as text.
        modality = visual_places(len(text.embeds), [(slot.start, slot.start + slot.length - 1) for slot in where], device)
        if not where:
            return replace(text, modality=modality)
        places = torch.cat([torch.arange(slot.start, slot.start + slot.length) for slot in where]).to(device)
        stretches = torch.cat([part for values in media for part in (self.begin[None], values, self.end[None])])
        embeds = text.embeds.index_put((places,), stretches.to(text.embeds.dtype))
        return replace(text, embeds=embeds, positions=shared_positions(where, text.lengths).to(device), modality=modality)


def shared_positions(where: list[Slot], lengths: tuple[int, ...]) -> Tensor:
    """`[T]` positions that restart with every sample and stand still between a picture's first token and its last."""
    step = torch.ones(sum(lengths), dtype=torch.long)
    for slot in where:
        # `begin` and the first token step on as text does; the tokens after it stand still; `end`, at the last place, steps
        # on again.
        step[slot.start + 2 : slot.start + slot.length - 1] = 0
    return torch.cat([part.cumsum(0) - 1 for part in step.split(lengths)])
