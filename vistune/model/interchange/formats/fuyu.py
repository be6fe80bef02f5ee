"""Fuyu and OtterHD: the projection of raw patches, and the token behind every row, which is a row of the embedding."""

from __future__ import annotations

from torch import Tensor

from vistune.model.interchange.formats.keymap import KeyMap, Of


def rows(newline: int, prefix: str = "model.") -> KeyMap:
    """`connectors.row_ends` -> `FuyuForCausalLM`; `newline` is the token's number (71019 in Fuyu-8B)."""

    def row(table: Tensor) -> Tensor:
        return table[newline]

    return {
        "inner.proj.": f"{prefix}vision_embed_tokens.",
        "newline": Of((f"{prefix}language_model.embed_tokens.weight",), row),
    }
