"""Import of the OpenAI CLIP state-dict layout, which open_clip writes too, into a `transformers` CLIP model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from vistune.errors import InputError, why
from vistune.model.weights.numbers import check_finite
from vistune.promptlearn.backbone import DualEncoder, HuggingFaceTokenizer
from vistune.promptlearn.towers.resnet import DOWNSCALE, ResNet, ResNetClip

BLOCK = {
    "ln_1.weight": "layer_norm1.weight",
    "ln_1.bias": "layer_norm1.bias",
    "ln_2.weight": "layer_norm2.weight",
    "ln_2.bias": "layer_norm2.bias",
    "attn.out_proj.weight": "self_attn.out_proj.weight",
    "attn.out_proj.bias": "self_attn.out_proj.bias",
    "mlp.c_fc.weight": "mlp.fc1.weight",
    "mlp.c_fc.bias": "mlp.fc1.bias",
    "mlp.c_proj.weight": "mlp.fc2.weight",
    "mlp.c_proj.bias": "mlp.fc2.bias",
}
OUTSIDE = {
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.ln_pre.weight": "vision_model.pre_layrnorm.weight",
    "visual.ln_pre.bias": "vision_model.pre_layrnorm.bias",
    "visual.ln_post.weight": "vision_model.post_layernorm.weight",
    "visual.ln_post.bias": "vision_model.post_layernorm.bias",
    "logit_scale": "logit_scale",
}


def from_openai(weights: Mapping[str, Tensor], *, activation: str = "quick_gelu", head_width: int = 64) -> Any:
    """A `transformers.CLIPModel` with these weights; sizes are read off the tensors.

    `activation` is `quick_gelu` for OpenAI's weights and `gelu` for most of open_clip's; the number of heads is not in
    the file, it follows from `head_width`. With a ResNet image tower it is a `ResNetClip`. Raises `InputError` for a key
    that is missing or unknown.
    """
    from transformers import CLIPConfig, CLIPModel

    if "visual.attnpool.positional_embedding" in weights:
        return resnet_from_openai(weights, activation=activation, head_width=head_width)
    if "visual.class_embedding" not in weights:
        raise InputError("the state dict holds no vision transformer and no ResNet of CLIP's")
    converted = convert(weights)
    width, _, patch, _ = weights["visual.conv1.weight"].shape
    text = text_config(weights, activation, head_width)
    vision = {
        "hidden_size": width,
        "intermediate_size": weights["visual.transformer.resblocks.0.mlp.c_fc.weight"].shape[0],
        "num_hidden_layers": depth(weights, "visual.transformer."),
        "num_attention_heads": width // head_width,
        # One position is the class token's.
        "image_size": round((weights["visual.positional_embedding"].shape[0] - 1) ** 0.5) * patch,
        "patch_size": patch,
        "hidden_act": activation,
    }
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=weights["text_projection"].shape[1])
    model = CLIPModel(config)
    model.load_state_dict(converted, strict=True)
    return model


def text_config(weights: Mapping[str, Tensor], activation: str, head_width: int) -> dict[str, Any]:
    """The sizes of the text tower."""
    vocabulary, text_width = weights["token_embedding.weight"].shape
    return {
        "vocab_size": vocabulary,
        "hidden_size": text_width,
        "intermediate_size": weights["transformer.resblocks.0.mlp.c_fc.weight"].shape[0],
        "num_hidden_layers": depth(weights, "transformer."),
        "num_attention_heads": text_width // head_width,
        "max_position_embeddings": weights["positional_embedding"].shape[0],
        "hidden_act": activation,
        # The state dict names no tokens; CLIP's vocabulary ends with the token that begins a text and the token that ends it.
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
        "pad_token_id": 0,
    }


def resnet_from_openai(weights: Mapping[str, Tensor], *, activation: str, head_width: int) -> ResNetClip:
    """CLIP with a ResNet image tower. Raises `InputError` for a key that is missing or unknown."""
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    vision = {name.removeprefix("visual."): value.float() for name, value in weights.items() if name.startswith("visual.")}
    layers = tuple(len({name.split(".")[1] for name in vision if name.startswith(f"layer{i}.")}) for i in (1, 2, 3, 4))
    places, channels = vision["attnpool.positional_embedding"].shape
    size, embed_dim = round((places - 1) ** 0.5) * DOWNSCALE, weights["text_projection"].shape[1]
    config = CLIPTextConfig(**text_config(weights, activation, head_width), projection_dim=embed_dim)
    width = vision["conv3.weight"].shape[0]
    tower = ResNet((layers[0], layers[1], layers[2], layers[3]), width, channels // head_width, size, embed_dim)
    model = ResNetClip(CLIPTextModelWithProjection(config), tower, size, embed_dim)
    rest = {name: value for name, value in weights.items() if not name.startswith("visual.")}
    try:
        model.vision_model.load_state_dict(vision, strict=True)
        missing, unknown = model.load_state_dict(convert(rest), strict=False)
    except RuntimeError as error:
        raise InputError(f"the state dict's ResNet tower is incomplete: {str(error).splitlines()[1].strip()}") from error
    missing = [name for name in missing if not name.startswith("vision_model.") and "position_ids" not in name]
    if missing or unknown:
        raise InputError(f"the state dict lacks or has an unknown key: {[*missing, *unknown][0]!r}")
    return model


def load_openai(path: Path, tokenizer: str, *, activation: str = "quick_gelu") -> DualEncoder:
    """A dual encoder from a state-dict file (safetensors, or PyTorch with plain tensors) and a tokenizer (directory or id).

    Raises `InputError` for a file that is neither; a PyTorch file is read without running any code in it.
    """
    from transformers import AutoTokenizer

    try:
        if path.suffix == ".safetensors":
            weights = load_file(path)
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
            weights = weights.get("state_dict", weights)
        words = AutoTokenizer.from_pretrained(tokenizer, trust_remote_code=False)
    except Exception as error:  # libraries fail in as many ways as a file can be broken in
        raise InputError(f"{path} with tokenizer {tokenizer!r} is no CLIP state dict: {why(error)}") from error
    weights = {name.removeprefix("module."): value for name, value in weights.items()}
    check_finite({key: value for key, value in weights.items() if isinstance(value, Tensor)}, path)
    try:
        model = from_openai(weights, activation=activation)
    except (KeyError, RuntimeError) as error:
        raise InputError(f"{path} is an incomplete CLIP state dict: {str(error).splitlines()[-1].strip()}") from error
    return DualEncoder(model, HuggingFaceTokenizer(words), identity=str(path))


def convert(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keys and layout of `transformers`. Raises `InputError` for a key that has no counterpart."""
    converted: dict[str, Tensor] = {"text_projection.weight": weights["text_projection"].T}
    if "visual.proj" in weights:
        converted["visual_projection.weight"] = weights["visual.proj"].T
    for name, value in weights.items():
        prefix, _, rest = name.partition("resblocks.")
        if name in ("text_projection", "visual.proj", "attn_mask", "input_resolution", "context_length", "vocab_size"):
            continue
        if name in OUTSIDE:
            converted[OUTSIDE[name]] = value.reshape(()) if name == "logit_scale" else value
        elif rest:
            index, _, leaf = rest.partition(".")
            layer = f"{'vision' if prefix.startswith('visual.') else 'text'}_model.encoder.layers.{index}."
            # OpenAI keeps query, key and value in one matrix, `transformers` in three.
            if leaf in ("attn.in_proj_weight", "attn.in_proj_bias"):
                for part, chunk in zip("qkv", value.chunk(3), strict=True):
                    converted[f"{layer}self_attn.{part}_proj.{leaf.rpartition('_')[2]}"] = chunk
            elif leaf in BLOCK:
                converted[layer + BLOCK[leaf]] = value
            else:
                raise InputError(f"state dict key {name!r} belongs to no CLIP vision transformer")
        else:
            raise InputError(f"state dict key {name!r} belongs to no CLIP vision transformer")
    return {name: value.to(torch.float32).contiguous() for name, value in converted.items()}


def depth(weights: Mapping[str, Tensor], prefix: str) -> int:
    """How many blocks a tower has."""
    start = f"{prefix}resblocks."
    return 1 + max(int(name[len(start) :].partition(".")[0]) for name in weights if name.startswith(start))
