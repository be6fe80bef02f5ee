"""Segmenters and painters small enough for tests, with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers as hf

from vistune.files import write_json

UNET: dict[str, Any] = {
    "sample_size": 4, "in_channels": 2, "out_channels": 2, "block_out_channels": [8], "layers_per_block": 1,
    "down_block_types": ["CrossAttnDownBlock2D"], "up_block_types": ["CrossAttnUpBlock2D"], "cross_attention_dim": 6,
    "mid_block_type": "UNetMidBlock2DCrossAttn", "norm_num_groups": 4, "attention_head_dim": 4,
}  # fmt: skip
VAE: dict[str, Any] = {
    "block_out_channels": [4, 4], "layers_per_block": 1, "latent_channels": 2, "norm_num_groups": 2, "sample_size": 8,
    "down_block_types": ["DownEncoderBlock2D"] * 2, "up_block_types": ["UpDecoderBlock2D"] * 2, "scaling_factor": 0.18215,
}  # fmt: skip
SCHEDULE: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def write_painter(folder: Path, width: int = 6, **schedule: Any) -> None:
    """A diffusers directory whose conditions are `width` wide; pictures have 8 pixels a side."""
    torch.manual_seed(0)
    diffusers.UNet2DConditionModel(**UNET | {"cross_attention_dim": width}).save_pretrained(folder / "unet")
    diffusers.AutoencoderKL(**VAE).save_pretrained(folder / "vae")
    diffusers.DDPMScheduler(**SCHEDULE, **schedule).save_pretrained(folder / "scheduler")


def sam_config() -> Any:
    """SAM at 128 pixels, in patches of 16, 16 wide."""
    vision = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "mlp_dim": 8, "output_channels": 16}
    vision |= {"image_size": 128, "patch_size": 16, "num_pos_feats": 8, "global_attn_indexes": [], "window_size": 4}
    prompt = {"hidden_size": 16, "image_size": 128, "image_embedding_size": 8, "patch_size": 16, "mask_input_channels": 4}
    decoder = {"hidden_size": 16, "mlp_dim": 24, "num_attention_heads": 2, "iou_head_hidden_dim": 16}
    return hf.SamConfig(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)


def write_segmenter(folder: Path) -> None:
    """A SAM with random weights."""
    torch.manual_seed(0)
    hf.SamModel(sam_config()).save_pretrained(folder)
    write_json(folder / "preprocessor_config.json", {"image_mean": [0.5] * 3, "image_std": [0.25] * 3})
