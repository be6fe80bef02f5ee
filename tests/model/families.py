"""Tiny random backbones of every family, in real Hugging Face directories."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
import transformers as hf
from safetensors.torch import save_file

from vistune.pretrain.tokenizer import train_bpe

WORDS = [
    "What is in the picture?",
    "A red bus.",
    "USER: ASSISTANT: Two cats on a mat.",
    "Where is the blue seven?",
    "yes no one two",
]
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
IDS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
_BASE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
    "initializer_range": 0.2,
    **IDS,
}
_GROUPED = _BASE | {"num_key_value_heads": 2}
_GEMMA = _GROUPED | {"head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 4}
DECODERS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("LlamaConfig", _GROUPED),
    "qwen2": ("Qwen2Config", _GROUPED),
    "qwen3": ("Qwen3Config", _GROUPED | {"head_dim": 16}),
    "mistral": ("MistralConfig", _GROUPED | {"sliding_window": 4}),
    "gemma2": ("Gemma2Config", _GEMMA | {"attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0}),
    "gemma3": ("Gemma3TextConfig", _GEMMA | {"layer_types": ["sliding_attention", "full_attention"]}),
    "phi3": ("Phi3Config", _GROUPED | {"original_max_position_embeddings": 256}),
    "opt": (
        "OPTConfig",
        {"hidden_size": 32, "ffn_dim": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 256}
        | {"word_embed_proj_dim": 16, "init_std": 0.2, "dropout": 0.0}
        | IDS,
    ),
    "gpt_neox": ("GPTNeoXConfig", _BASE | {"rotary_pct": 0.5}),
}
_VISION: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "patch_size": 8}
TOWERS: dict[str, tuple[str, dict[str, Any]]] = {
    "clip": ("CLIPVisionConfig", _VISION | {"image_size": 32, "intermediate_size": 64}),
    "siglip": ("SiglipVisionConfig", _VISION | {"image_size": 32, "intermediate_size": 64, "vision_use_head": False}),
    "siglip2": ("Siglip2VisionConfig", _VISION | {"num_patches": 16, "intermediate_size": 64}),
    "dinov2": ("Dinov2Config", _VISION | {"image_size": 32, "mlp_ratio": 2}),
    "dinov2_registers": ("Dinov2WithRegistersConfig", _VISION | {"image_size": 32, "mlp_ratio": 2, "num_register_tokens": 3}),
    "vit": ("ViTConfig", _VISION | {"image_size": 32, "intermediate_size": 64}),
    "convnext": ("ConvNextConfig", {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 2, 1], "patch_size": 4}),
}


@cache
def text_tower() -> str:
    """Write a random CLIP text transformer of width 16 with its projection, once."""
    torch.manual_seed(0)
    config = hf.CLIPTextConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, vocab_size=30, projection_dim=8
    )
    place = Path(mkdtemp(prefix="vistune-text-"))
    hf.CLIPTextModelWithProjection(config).save_pretrained(place)
    return str(place)


_T5: dict[str, Any] = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "dropout_rate": 0.0}
ENCODER_DECODERS: dict[str, dict[str, Any]] = {
    "t5": _T5,
    "flan": _T5 | {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
}


def tokenizer() -> Any:
    """A byte-level tokenizer with `<pad>`, `<s>`, `</s>`."""
    return train_bpe(WORDS * 5, 300, ["<pad>", "<s>", "</s>"], **SPECIAL)


def decoder(name: str, folder: Path, **changes: Any) -> str:
    """Write a random decoder of the family `name`, its settings changed where told, and its tokenizer."""
    words = tokenizer()
    config_class, settings = DECODERS[name]
    torch.manual_seed(0)
    model = hf.AutoModelForCausalLM.from_config(getattr(hf, config_class)(vocab_size=len(words), **settings | changes))
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return str(folder)


def tower(name: str, folder: Path) -> str:
    """Write a random vision tower of the family `name` and its image processor."""
    config_class, settings = TOWERS[name]
    torch.manual_seed(1)
    hf.AutoModel.from_config(getattr(hf, config_class)(**settings)).save_pretrained(folder)
    hf.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return str(folder)


def encoder_decoder(name: str, folder: Path) -> str:
    """Write a random T5 (`t5`: the first; `flan`: 1.1, gated layers and a head of its own) and its tokenizer."""
    words = tokenizer()
    torch.manual_seed(0)
    ids = {"pad_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 0}
    config = hf.T5Config(vocab_size=len(words), **ENCODER_DECODERS[name], **ids)
    model = hf.T5ForConditionalGeneration(config)
    weights = {name: tensor for name, tensor in model.state_dict().items() if name not in model.all_tied_weights_keys}
    if name == "flan":
        weights["lm_head.weight"] = torch.randn_like(weights["shared.weight"])
    config.save_pretrained(folder)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    words.save_pretrained(folder)
    return str(folder)


def blip_tower(folder: Path) -> str:
    """Write a random vision tower as BLIP-2 has it, and its image processor."""
    torch.manual_seed(2)
    config = hf.Blip2VisionConfig(**_VISION | {"num_hidden_layers": 2, "image_size": 32, "intermediate_size": 64})
    hf.Blip2VisionModel(config).save_pretrained(folder)
    hf.BlipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return str(folder)
