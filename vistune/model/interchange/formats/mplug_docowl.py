"""mPLUG-DocOwl and PaperOwl (arXiv 2307.02499, 2311.18248): the abstractor, with the places of crops or without."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap, prefixed
from vistune.model.interchange.formats.layers import ABSTRACTOR

DOCOWL: KeyMap = {**prefixed("", "abstractor.", ABSTRACTOR), "queries": "query_tokens"}
PAPEROWL: KeyMap = {
    **DOCOWL,
    "rows": "abstractor.cut_patch_embedding_h.weight",
    "columns": "abstractor.cut_patch_embedding_w.weight",
}
