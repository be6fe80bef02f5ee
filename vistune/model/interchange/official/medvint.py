"""MedVInT (arXiv 2305.10415): the query decoder of its variant with a decoder, -TD."""

from __future__ import annotations

from vistune.model.interchange.official.keymap import KeyMap

QUERY_DECODER: KeyMap = {
    "queries": "query_embed.weight",
    "layers.{}.": "decoder.layers.{}.",
    "norm.": "decoder.norm.",
    "network.0.": "fc_l1.",
    "network.2.": "fc_l2.",
}
