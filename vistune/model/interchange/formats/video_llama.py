"""Video-LLaMA (github.com/DAMO-NLP-SG/Video-LLaMA): names of the Q-Formers of both branches."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap, prefixed
from vistune.model.interchange.formats.layers import LAVIS_Q_FORMER

FRAME_Q_FORMER: KeyMap = {"norm.": "ln_vision.", "queries": "query_tokens", **prefixed("", "Qformer.", LAVIS_Q_FORMER)}
"""Of the `connectors.q_former` that reads each frame, without projection."""

VIDEO_POSITIONS: KeyMap = {"positions": "video_frame_position_embedding.weight"}
VIDEO_Q_FORMER: KeyMap = {
    "queries": "video_query_tokens",
    "proj.": "llama_proj.",
    **prefixed("", "video_Qformer.", LAVIS_Q_FORMER),
}
"""Of `connectors.frame_concat`, and of the `connectors.q_former` without norm behind it."""

AUDIO_POSITIONS: KeyMap = {"positions": "audio_position_embedding.weight"}
AUDIO_Q_FORMER: KeyMap = {
    "queries": "audio_query_tokens",
    "proj.": "audio_llama_proj.",
    **prefixed("", "audio_Qformer.", LAVIS_Q_FORMER),
}
"""The same of the audio branch."""

IGNORED = ("*bert.embeddings.position_ids",)
