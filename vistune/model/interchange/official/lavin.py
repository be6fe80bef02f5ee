"""LaVIN (arXiv 2305.15023): the bottleneck behind the class tokens, and the routed adapters of the language model."""

from __future__ import annotations

from vistune.model.interchange.official.keymap import KeyMap

TAPS: KeyMap = {"narrow.": "adapter_proj.conv_A.", "widen.": "adapter_proj.conv_B."}
