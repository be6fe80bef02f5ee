"""SEED's tokenizer (AILab-CVC/SEED, `models/seed_qformer/qformer_quantizer.py`)."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap, prefixed
from vistune.model.interchange.formats.layers import LAVIS_Q_FORMER

VISUAL_TOKENIZER: KeyMap = {
    "norm.": "ln_vision.",
    "encode.": "encode_task_layer.",
    "quantizer.codes.": "quantize.embedding.",
    "decode.": "decode_task_layer.",
    "positions": "pos_embed_image",
    "blocks.{}.norm_attention.": "blocks_image.{}.norm1.",
    "blocks.{}.query_key_value.": "blocks_image.{}.attn.qkv.",
    "blocks.{}.out.": "blocks_image.{}.attn.proj.",
    "blocks.{}.norm_network.": "blocks_image.{}.norm2.",
    "blocks.{}.network.0.": "blocks_image.{}.mlp.fc1.",
    "blocks.{}.network.2.": "blocks_image.{}.mlp.fc2.",
    "narrow.": "image_down.",
    "image.": "distill_image_proj.",
    "q_former.queries": "query_tokens",
    **prefixed("q_former.", "Qformer.", LAVIS_Q_FORMER),
    "reverse.queries": "reverse_tokens",
    **prefixed("reverse.", "Reverse_Qformer.", LAVIS_Q_FORMER),
}
"""The visual tokenizer -> `Blip2QformerQuantizer`, with either way back."""
