"""NExT-GPT (NExT-GPT/NExT-GPT, `NExT-GPT-Lagacy/code/model/layers.py`)."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

OUTPUT_PROJECTION: KeyMap = {"enter.": "fc.", "queries": "query_embs", "transformer.": "tfm.", "out.": "model."}
"""`heads.signal_tokens`' projection -> `TextFcLayer` in its mode `transformer`."""
