"""BuboGPT (github.com/magic-research/bubogpt): names of a modality's Q-Former and projection."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap, prefixed
from vistune.model.interchange.formats.layers import LAVIS_Q_FORMER


def q_former(modality: str) -> KeyMap:
    """Of the `connectors.q_former` (without norm) of `audio` or `vision`."""
    former = f"multimodal_joiner.modality_qformers.{modality}."
    names = {"queries": f"{former}query_tokens", "proj.": f"multimodal_joiner.modality_post_projectors.{modality}.fc."}
    return {**names, **prefixed("", f"{former}Qformer.", LAVIS_Q_FORMER)}


IGNORED = ("*bert.embeddings.position_ids",)
