"""ImageBind (github.com/facebookresearch/ImageBind): names of the towers of `encoders.imagebind`."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap, Of


def _tower(ours: str, theirs: str) -> dict[str, str | Of | None]:
    before, trunk, head = f"modality_preprocessors.{theirs}.", f"modality_trunks.{theirs}.", f"modality_heads.{theirs}."
    block = f"{trunk}blocks.{{}}."
    stem = f"{before}rgbt_stem.proj."
    return {
        f"{ours}stem.": stem if theirs == "audio" else f"{stem}1.",
        f"{ours}norm_stem.": f"{before}rgbt_stem.norm_layer.",
        f"{ours}cls": f"{before}cls_token",
        f"{ours}positions": f"{before}pos_embedding_helper.pos_embed",
        f"{ours}norm_in.": f"{trunk}pre_transformer_layer.0.",
        f"{ours}blocks.{{}}.norm_attention.": f"{block}norm_1.",
        f"{ours}blocks.{{}}.norm_network.": f"{block}norm_2.",
        f"{ours}blocks.{{}}.attention.": f"{block}attn.",
        f"{ours}blocks.{{}}.network.0.": f"{block}mlp.fc1.",
        f"{ours}blocks.{{}}.network.2.": f"{block}mlp.fc2.",
        f"{ours}norm_out.": f"{head}0.",
        f"{ours}proj.": f"{head}2.",
        f"{ours}log_scale": f"modality_postprocessors.{theirs}.1.log_logit_scale" if theirs == "audio" else None,
    }


TOWERS: KeyMap = {**_tower("towers.vision.", "vision"), **_tower("towers.audio.", "audio")}
