"""VideoChat (github.com/OpenGVLab/Ask-Anything, video_chat): names of the tower with global blocks."""

from __future__ import annotations

import torch

from vistune.model.interchange.formats.keymap import KeyMap, Of


def _bias(query: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Queries and values have a bias, keys have none."""
    return torch.cat([query, torch.zeros_like(query), value])


EVA: KeyMap = {
    "embeddings.class_embedding": "cls_token",
    "embeddings.position_embedding": "pos_embed",
    "embeddings.patch_embedding.": "patch_embed.proj.",
    "encoder.layers.{}.layer_norm1.": "blocks.{}.norm1.",
    "encoder.layers.{}.layer_norm2.": "blocks.{}.norm2.",
    "encoder.layers.{}.self_attn.qkv.weight": "blocks.{}.attn.qkv.weight",
    "encoder.layers.{}.self_attn.qkv.bias": Of(("blocks.{}.attn.q_bias", "blocks.{}.attn.v_bias"), _bias),
    "encoder.layers.{}.self_attn.projection.": "blocks.{}.attn.proj.",
    "encoder.layers.{}.mlp.": "blocks.{}.mlp.",
}
"""LAVIS' EVA-CLIP ViT-g under the names of `transformers`."""

GLOBAL: KeyMap = {
    "near.": "dpe.",
    "norm_video.": "ln_1.",
    "norm_network.": "ln_2.",
    "norm_frames.": "ln_3.",
    "attention.": "attn.",
    "network.0.": "mlp.c_fc.",
    "network.2.": "mlp.c_proj.",
}
"""A global block."""

TOWER: KeyMap = {
    "video": "gmhra_cls_token",
    "halved.": "patch_embed.proj.",
    **{f"model.{our}": their for our, their in EVA.items()},
    **{f"globals.{{}}.{our}": f"gmhra.{{}}.{their}" for our, their in GLOBAL.items()},
}
"""Of `encoders.gmhra`, whose local blocks stand two a layer: `local` names them."""


def local(depth: int) -> KeyMap:
    """The local blocks of `depth` layers."""
    return {
        f"locals.{2 * layer + half}.layers.": f"blocks.{layer}.lmhra{half + 1}.pos_embed."
        for layer in range(depth)
        for half in range(2)
    }
