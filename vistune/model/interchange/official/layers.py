"""Maps of the networks that several methods are built from."""

from __future__ import annotations

from vistune.model.interchange.official.keymap import KeyMap

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
