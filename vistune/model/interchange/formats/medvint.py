"""MedVInT (arXiv 2305.10415): the query decoder of its variant with a decoder, -TD."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

QUERY_DECODER: KeyMap = {
    "queries": "query_embed.weight",
    "layers.{}.": "decoder.layers.{}.",
    "norm.": "decoder.norm.",
    "network.0.": "fc_l1.",
    "network.2.": "fc_l2.",
}
"""`connectors.query_decoder` -> `QA_model`."""

_ATTENTION, _THEIRS = "model.layers.{}.self_attn.", "llamacasual.base_model.model.model.layers.{}.self_attn."

LANGUAGE_MODEL: KeyMap = {
    "": "llamacasual.base_model.model.",
    f"{_ATTENTION}q_proj.base_layer.": f"{_THEIRS}q_proj.",
    f"{_ATTENTION}v_proj.base_layer.": f"{_THEIRS}v_proj.",
}
"""A Llama with LoRA -> `QA_model`'s, whose `peft` kept a layer's own weight beside its updates."""
