"""LISA (dvlab-research/LISA, `model/LISA.py`), whose names GLaMM keeps: projection and SAM, the latter in Meta's names."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

_SAM = "model.visual_model."
_LAYER = f"{_SAM}mask_decoder.transformer.layers.{{}}."

PROMPTABLE_MASK: KeyMap = {
    "project.0.": "model.text_hidden_fcs.0.0.",
    "project.2.": "model.text_hidden_fcs.0.2.",
    "segmenter.no_mask": f"{_SAM}prompt_encoder.no_mask_embed.weight",
    "segmenter.decoder.": f"{_SAM}mask_decoder.",
    "segmenter.decoder.transformer.layers.{}.layer_norm1.": f"{_LAYER}norm1.",
    "segmenter.decoder.transformer.layers.{}.layer_norm2.": f"{_LAYER}norm2.",
    "segmenter.decoder.transformer.layers.{}.layer_norm3.": f"{_LAYER}norm3.",
    "segmenter.decoder.transformer.layers.{}.layer_norm4.": f"{_LAYER}norm4.",
    "segmenter.decoder.transformer.layer_norm_final_attn.": f"{_SAM}mask_decoder.transformer.norm_final_attn.",
    "segmenter.decoder.upscale_conv1.": f"{_SAM}mask_decoder.output_upscaling.0.",
    "segmenter.decoder.upscale_layer_norm.": f"{_SAM}mask_decoder.output_upscaling.1.",
    "segmenter.decoder.upscale_conv2.": f"{_SAM}mask_decoder.output_upscaling.3.",
    "segmenter.decoder.output_hypernetworks_mlps.{}.proj_in.": f"{_SAM}mask_decoder.output_hypernetworks_mlps.{{}}.layers.0.",
    "segmenter.decoder.output_hypernetworks_mlps.{}.layers.0.": f"{_SAM}mask_decoder.output_hypernetworks_mlps.{{}}.layers.1.",
    "segmenter.decoder.output_hypernetworks_mlps.{}.proj_out.": f"{_SAM}mask_decoder.output_hypernetworks_mlps.{{}}.layers.2.",
    "segmenter.decoder.iou_prediction_head.proj_in.": f"{_SAM}mask_decoder.iou_prediction_head.layers.0.",
    "segmenter.decoder.iou_prediction_head.layers.0.": f"{_SAM}mask_decoder.iou_prediction_head.layers.1.",
    "segmenter.decoder.iou_prediction_head.proj_out.": f"{_SAM}mask_decoder.iou_prediction_head.layers.2.",
}
"""`heads.promptable_mask` -> `LISAForCausalLM`, but for SAM's encoder and the table of places."""
