"""EmbodiedGPT (github.com/EmbodiedGPT/EmbodiedGPT_Pytorch): names of the film tower, whose layers are those of BLIP-2."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

TOWER: KeyMap = {
    "cls": "vision_model.video_embeddings.class_embedding",
    "places": "vision_model.video_embeddings.position_embedding",
    "convolution.": "vision_model.video_embeddings.patch_embedding.",
    "model.encoder.": "vision_model.encoder.",
    "model.post_layernorm.": "vision_model.post_layernorm.",
}
"""Of `encoders.tubelets`."""

TAPS: KeyMap = {
    "norms.{}.": "layer_norms.{}.",
    "narrow.": "vision_adapter.fc1.",
    "widen.": "vision_adapter.fc2.",
    "norm_out.": "vision_adapter.layernorm.",
}
"""Of `connectors.class_taps` with `norm`."""
