"""PVIT (PVIT-official/PVIT, `pvit/model/llava.py`)."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

SECOND_ENCODER: KeyMap = {"proj.": "prompt_projector.", "place.": "bbox_fc."}
"""`regions.second_encoder` -> `LlavaLlamaModel`, but for the encoder itself, which has a checkpoint of its own."""
