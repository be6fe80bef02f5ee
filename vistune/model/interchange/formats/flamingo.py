"""OpenFlamingo and what is tuned from it (Otter, MultiModal-GPT): a gated cross-attention block."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

GATED_BLOCK: KeyMap = {
    "norm.": "attn.norm.",
    "query.": "attn.to_q.",
    "key_and_value.": "attn.to_kv.",
    "out.": "attn.to_out.",
    "network.": "ff.",
    "attention_gate": "attn_gate",
    "network_gate": "ff_gate",
}
"""A block of `fusion.gated_cross_attention` -> `GatedCrossAttentionBlock`, with `peft`'s layers inside or without."""
