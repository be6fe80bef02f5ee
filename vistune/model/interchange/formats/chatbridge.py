"""ChatBridge (github.com/joez17/ChatBridge): names of the shared trunk and of what stands before it."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap, prefixed
from vistune.model.interchange.formats.layers import LAVIS_Q_FORMER

VISION_NORM: KeyMap = {"norm.": "ln_vision."}
AUDIO_NORM: KeyMap = {"norm.": "ln_audio."}
AUDIO_LINEAR: KeyMap = {"proj.": "audio_trans."}
VISION_POSITIONS: KeyMap = {"positions": "visual_temporal_pos_embeds"}
AUDIO_POSITIONS: KeyMap = {"positions": "audio_temporal_pos_embeds"}
"""Of `connectors.norm`, `connectors.linear` and `connectors.frame_concat`."""

TRUNK: KeyMap = {
    "queries.image_video": "image_query_tokens",
    "queries.audio": "audio_query_tokens",
    "proj.": "llama_proj.",
    **prefixed("", "Qformer.", LAVIS_Q_FORMER),
}
"""Of `connectors.shared_q_former`."""

IGNORED = ("*bert.embeddings.position_ids",)
