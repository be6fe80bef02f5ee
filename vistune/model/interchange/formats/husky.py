"""Husky, the network of EmbodiedGPT (arXiv 2305.15021): four class tokens through norms and a bottleneck."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

TAPS: KeyMap = {
    "norms.{}.": "layer_norms.{}.",
    "narrow.": "vision_adapter.fc1.",
    "widen.": "vision_adapter.fc2.",
    "norm_out.": "vision_adapter.layernorm.",
}
"""`connectors.class_taps` with norms -> `HuskyForConditionalGeneration`."""
