"""Macaw-LLM (github.com/lyuchenyang/Macaw-LLM): names of a modality's alignment, and of the attention over frames."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

FRAME_ATTENTION: KeyMap = {"attention.": "video_long_self_attention."}
"""Of `connectors.frame_attention`."""


def alignment(modality: str) -> KeyMap:
    """Of the `connectors.embedding_table_attention` of `image`, `video` or `audio`."""
    return {
        "shorten.": f"project_{modality}.",
        "proj.": f"transform_{modality}_to_hidden.",
        "attention.": f"{modality}_align_attention.",
    }
