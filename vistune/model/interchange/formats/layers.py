"""Maps of the networks that several methods are built from."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from vistune.model.interchange.formats.keymap import KeyMap, Of

# An abstractor layer of the mPLUG line, as it is called in all their repositories.
ABSTRACTOR: KeyMap = {
    "queries": "query_embeds",
    "end": "vit_eos",
    "proj.": "visual_fc.",
    "layers.{}.norm_query.": "encoder.layers.{}.crossattention.norm1.",
    "layers.{}.norm_features.": "encoder.layers.{}.crossattention.normk.",
    "layers.{}.norm_hidden.": "encoder.layers.{}.crossattention.output.norm2.",
    "layers.{}.query.": "encoder.layers.{}.crossattention.attention.query.",
    "layers.{}.key.": "encoder.layers.{}.crossattention.attention.key.",
    "layers.{}.value.": "encoder.layers.{}.crossattention.attention.value.",
    "layers.{}.out.": "encoder.layers.{}.crossattention.output.out_proj.",
    "layers.{}.gate.": "encoder.layers.{}.crossattention.output.mlp.w1.",
    "layers.{}.up.": "encoder.layers.{}.crossattention.output.mlp.w3.",
    "layers.{}.down.": "encoder.layers.{}.crossattention.output.mlp.w2.",
    "layers.{}.norm_gated.": "encoder.layers.{}.crossattention.output.mlp.ffn_ln.",
}

# A Q-Former of LAVIS without its text branch -> that of `transformers`, in which `QFormer` keeps it as `model`.
LAVIS_Q_FORMER: KeyMap = {
    "model.layernorm.": "bert.embeddings.LayerNorm.",
    "model.encoder.layer.{}.": "bert.encoder.layer.{}.",
    "model.encoder.layer.{}.attention.attention.": "bert.encoder.layer.{}.attention.self.",
    "model.encoder.layer.{}.crossattention.attention.": "bert.encoder.layer.{}.crossattention.self.",
}

# One with its text branch: words enter through embeddings of their own, and have feed-forward networks of their own.
LAVIS_READING_Q_FORMER: KeyMap = {
    **LAVIS_Q_FORMER,
    "model.embeddings.layernorm.": "bert.embeddings.LayerNorm.",
    "model.embeddings.word_embeddings.": "bert.embeddings.word_embeddings.",
    "model.embeddings.position_embeddings.": "bert.embeddings.position_embeddings.",
    "model.embeddings.position_ids": None,
}


def halves(heads: int) -> Callable[[Tensor], Tensor]:
    """Rows of queries or keys that rotate as neighbours (Meta's code) -> as two halves of a head (`transformers`)."""

    def turned(weight: Tensor) -> Tensor:
        rows: Tensor = weight.unflatten(0, (heads, -1, 2)).transpose(1, 2).flatten(0, 2)
        return rows

    return turned


def meta_llama(heads: int, kv_heads: int | None = None) -> KeyMap:
    """A Llama as Meta's code writes it -> `LlamaForCausalLM`."""
    layer, theirs = "model.layers.{}.", "layers.{}."
    return {
        "model.embed_tokens.": "tok_embeddings.",
        "model.norm.": "norm.",
        "lm_head.": "output.",
        f"{layer}self_attn.q_proj.weight": Of((f"{theirs}attention.wq.weight",), halves(heads)),
        f"{layer}self_attn.k_proj.weight": Of((f"{theirs}attention.wk.weight",), halves(kv_heads or heads)),
        f"{layer}self_attn.v_proj.": f"{theirs}attention.wv.",
        f"{layer}self_attn.o_proj.": f"{theirs}attention.wo.",
        f"{layer}mlp.gate_proj.": f"{theirs}feed_forward.w1.",
        f"{layer}mlp.down_proj.": f"{theirs}feed_forward.w2.",
        f"{layer}mlp.up_proj.": f"{theirs}feed_forward.w3.",
        f"{layer}input_layernorm.": f"{theirs}attention_norm.",
        f"{layer}post_attention_layernorm.": f"{theirs}ffn_norm.",
    }
