"""LaVIN (luogen1996/LaVIN, arXiv 2305.15023): the bottleneck behind the class tokens, and the routed adapters."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap, prefixed

TAPS: KeyMap = {"narrow.": "adapter_proj.conv_A.", "widen.": "adapter_proj.conv_B."}
"""`connectors.class_taps` -> their bottleneck."""

ADAPTER: KeyMap = {
    "narrow.": "conv_A.",
    "experts.0.": "conv_B.",
    "experts.1.": "conv_D.",
    "router.": "expert_weights.",
}
"""`adapters.routed` -> one of their adapters."""

ADAPTERS: KeyMap = {
    "modality": "adapter_modality_embedding.weight",
    **prefixed("adapters.{}.", "layers.{}.adapter_attn.", ADAPTER),
}
"""`fusion.routed_adapters` -> their language model's."""
