"""BLIVA (arXiv 2308.09936): the Q-Former with its norm, queries and projection, and the projection of the patches."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap, prefixed
from vistune.model.interchange.formats.layers import LAVIS_READING_Q_FORMER

QUERIES: KeyMap = {
    "norm.": "ln_vision.",
    "queries": "query_tokens",
    "proj.": "llm_proj.",
    **prefixed("", "Qformer.", LAVIS_READING_Q_FORMER),
}
"""`connectors.q_former` that reads the question -> `BLIVAVicuna`."""

PATCHES: KeyMap = {"inner.proj.": "vision_project."}
"""`connectors.tap` -> `BLIVAVicuna`."""

CONNECTOR: KeyMap = {**prefixed("branches.queries.", "", QUERIES), **prefixed("branches.patches.", "", PATCHES)}
"""`connectors.parallel` of both -> `BLIVAVicuna`."""
