"""The All-Seeing Model (OpenGVLab/all-seeing, `all-seeing/utils/model.py`)."""

from __future__ import annotations

REGION_Q_FORMER = {
    "norm.": "vision_model.post_layernorm.",
    "position": "vision_bbox_pos_embed",
    "position_scale": "vision_bbox_pos_scale",
    "queries": "query_tokens",
    "from_box.": "vision_projection.",
    "model.": "qformer.",
    "proj.": "language_projection.",
}
"""`regions.region_q_former` -> `AllSeeingModel`."""

ALIGNMENT_TOKEN = {"scale": "logit_scale", "seen": "image_projection", "said": "text_projection"}
"""`heads.alignment_token` -> `AllSeeingModel`. Their projections are `[in, out]` matrices, ours linear layers."""
