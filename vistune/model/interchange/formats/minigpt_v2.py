"""MiniGPT-v2 (arXiv 2310.09478): the norm of the patches and the projection of four."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

CONNECTOR: KeyMap = {"norm_before.": "ln_vision.", "layers.0.": "llama_proj."}
