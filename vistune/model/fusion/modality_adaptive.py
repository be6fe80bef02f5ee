"""Norms, keys and values of their own for visual tokens: mPLUG-Owl2's adaptive module (arXiv 2311.04257)."""

from __future__ import annotations

from dataclasses import replace

from vistune.model.fusion._visual import over_visual
from vistune.model.fusion.base import Added, Fusion, Tokens, placed
from vistune.model.fusion.splice import splice
from vistune.model.language.causal import LanguageModel
from vistune.model.language.experts import add_experts, has_expert, visual_places
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import Slots

NORMS_KEYS_VALUES = ("input_layernorm", "post_attention_layernorm", "self_attn.k_proj", "self_attn.v_proj")


class ModalityAdaptive(Fusion):
    """Visual tokens are spliced in and go through their own copies of `modules` (globs over names in a layer).

    Queries, outputs and the feed-forward network stay shared, attention is joint. Copies start as the text's.
    """

    def __init__(self, modules: tuple[str, ...] = NORMS_KEYS_VALUES) -> None:
        super().__init__()
        self.patterns = modules

    def install(self, language_model: LanguageModel) -> None:
        """Copy the modules of every layer."""
        self.experts = add_experts(language_model.hooks, self.patterns)

    def added(self) -> list[Added]:
        """The copies' products, over visual places."""
        return [over_visual(self.experts)]

    def replaces(self, layer: int, name: str) -> bool:
        """Whatever has a copy."""
        return has_expert(self.experts, layer, name)

    def prepare(self, text: Inputs, tokens: Tokens, slots: Slots) -> Inputs:
        """Tokens at their slots, which are visual."""
        spans = [(slot.start, slot.start + slot.length) for slot in placed(tokens, slots)[0]]
        modality = visual_places(len(text.embeds), spans, text.embeds.device)
        return replace(splice(text, tokens, slots), modality=modality)
