"""VPG-C, called Cheetah (DCDmllm/Cheetah, arXiv 2308.04152): the second queries and the two linear layers of the injection."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

INJECTION: KeyMap = {"queries": "query_tokens", "ask.": "qformer_proj.", "answer.": "llm_proj."}
"""`fusion.mid_layer_injection` -> their language model's."""
