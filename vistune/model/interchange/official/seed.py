"""SEED's tokenizer (AILab-CVC/SEED, `models/seed_qformer/qformer_quantizer.py`)."""

from __future__ import annotations


def _query_transformer(ours: str, theirs: str, queries: str) -> dict[str, str]:
    """A Q-Former in LAVIS's names, which are BERT's."""
    layer = f"{theirs}bert.encoder.layer.{{}}."
    return {
        f"{ours}queries": queries,
        f"{ours}model.layernorm.": f"{theirs}bert.embeddings.LayerNorm.",
        f"{ours}model.encoder.layer.{{}}.": layer,
        f"{ours}model.encoder.layer.{{}}.attention.attention.": f"{layer}attention.self.",
        f"{ours}model.encoder.layer.{{}}.crossattention.attention.": f"{layer}crossattention.self.",
    }


VISUAL_TOKENIZER = {
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
    **_query_transformer("q_former.", "Qformer.", "query_tokens"),
    **_query_transformer("reverse.", "Reverse_Qformer.", "reverse_tokens"),
}
"""The visual tokenizer -> `Blip2QformerQuantizer`, with either way back."""
