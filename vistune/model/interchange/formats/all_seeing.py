"""The All-Seeing Model (OpenGVLab/all-seeing, `all-seeing/utils/model.py`)."""

from __future__ import annotations

from torch import Tensor

from vistune.model.interchange.formats.keymap import KeyMap, Of


def _transposed(tensor: Tensor) -> Tensor:
    return tensor.T


REGION_Q_FORMER: KeyMap = {
    "norm.": "vision_model.post_layernorm.",
    "position": "vision_bbox_pos_embed",
    "position_scale": "vision_bbox_pos_scale",
    "queries": "query_tokens",
    "from_box.": "vision_projection.",
    "model.": "qformer.",
    "proj.": "language_projection.",
}
"""`regions.region_q_former` -> `AllSeeingModel`."""

ALIGNMENT_TOKEN: KeyMap = {
    "scale": "logit_scale",
    "seen.weight": Of(("image_projection",), _transposed),
    "said.weight": Of(("text_projection",), _transposed),
}
"""`heads.alignment_token` -> `AllSeeingModel`, whose projections are matrices `[in, out]`."""
