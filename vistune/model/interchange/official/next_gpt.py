"""NExT-GPT (NExT-GPT/NExT-GPT, `NExT-GPT-Lagacy/code/model/layers.py`)."""

from __future__ import annotations

OUTPUT_PROJECTION = {"enter.": "fc.", "queries": "query_embs", "transformer.": "tfm.", "out.": "model."}
"""`heads.signal_tokens`' projection -> `TextFcLayer` in its mode `transformer`."""
