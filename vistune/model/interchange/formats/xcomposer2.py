"""InternLM-XComposer2 (arXiv 2401.16420): a partial update, beside the matrix it is added to."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

UPDATE: KeyMap = {"narrow.": "Plora_A.", "widen.": "Plora_B."}
"""An update of `fusion.partial_lora` -> `PLoRA`."""
