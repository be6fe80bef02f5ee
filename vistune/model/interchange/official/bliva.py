"""BLIVA (arXiv 2308.09936): the Q-Former with its norm, queries and projection, and the projection of the patches."""

from __future__ import annotations

from vistune.model.interchange.official.keymap import KeyMap

QUERIES: KeyMap = {"norm.": "ln_vision.", "queries": "query_tokens", "proj.": "llm_proj.", "model.": "Qformer."}
PATCHES: KeyMap = {"inner.proj.": "vision_project."}
