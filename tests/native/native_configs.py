"""Configurations of tiny random vision-language models, one function a family."""

from __future__ import annotations

from typing import Any

import transformers as hf

TEXT: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
HEAD = TEXT | {"head_dim": 8}
CLIP = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 8,
}


def llama(tokenizer: Any, **more: Any) -> Any:
    return hf.LlamaConfig(vocab_size=len(tokenizer), **TEXT, **more)


def _id(tokenizer: Any, token: str) -> int:
    return int(tokenizer.convert_tokens_to_ids(token))


def qwen2_vl(tokenizer: Any, name: str, **vision: Any) -> Any:
    text = TEXT | {"rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}}
    if name == "Qwen3VL":
        text = HEAD | {"rope_parameters": {"rope_type": "default", "mrope_section": [2, 1, 1], "rope_theta": 10000.0}}
    ids = {
        key: _id(tokenizer, f"<|{token}|>")
        for key, token in (
            ("image_token_id", "image_pad"),
            ("video_token_id", "video_pad"),
            ("vision_start_token_id", "vision_start"),
            ("vision_end_token_id", "vision_end"),
        )
    }
    vision = {"depth": 2, "num_heads": 4, "patch_size": 8, "spatial_merge_size": 2, "temporal_patch_size": 2} | vision
    return getattr(hf, f"{name}Config")(text_config=text | {"vocab_size": len(tokenizer)}, vision_config=vision, **ids)


def idefics(tokenizer: Any) -> Any:
    return hf.IdeficsConfig(
        vocab_size=len(tokenizer),
        additional_vocab_size=0,
        **{k: v for k, v in TEXT.items() if k not in ("num_key_value_heads",)},
        cross_layer_interval=1,
        qk_layer_norms=False,
        alpha_initializer="ones",
        alphas_initializer_range=0.1,
        vision_config={
            "embed_dim": 32,
            "image_size": 32,
            "patch_size": 8,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 64,
        },
        perceiver_config={"use_resampler": False},
    )


def idefics3(tokenizer: Any, name: str = "Idefics3") -> Any:
    return getattr(hf, f"{name}Config")(
        text_config=llama(tokenizer),
        vision_config=CLIP,
        image_token_id=_id(tokenizer, "<image>"),
        scale_factor=2,
        pad_token_id=0,
    )


def idefics2(tokenizer: Any) -> Any:
    return hf.Idefics2Config(
        text_config=hf.MistralConfig(vocab_size=len(tokenizer), **TEXT),
        vision_config=CLIP,
        perceiver_config={
            "hidden_size": 32,
            "resampler_n_latents": 4,
            "resampler_depth": 1,
            "resampler_n_heads": 4,
            "resampler_head_dim": 8,
            "num_key_value_heads": 2,
        },
        image_token_id=_id(tokenizer, "<image>"),
    )


def llava(tokenizer: Any, name: str = "Llava", **more: Any) -> Any:
    return getattr(hf, f"{name}Config")(
        text_config=llama(tokenizer),
        vision_config=hf.CLIPVisionConfig(**CLIP),
        image_token_index=_id(tokenizer, "<image>"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        **more,
    )


def onevision(tokenizer: Any) -> Any:
    return hf.LlavaOnevisionConfig(
        text_config=hf.Qwen2Config(vocab_size=len(tokenizer), **TEXT),
        vision_config=hf.SiglipVisionConfig(**CLIP, vision_use_head=False),
        image_token_index=_id(tokenizer, "<image>"),
        video_token_index=_id(tokenizer, "<video>"),
        image_grid_pinpoints=[[32, 32], [32, 64], [64, 32]],
        vision_aspect_ratio="anyres_max_9",
    )


def pixtral(tokenizer: Any) -> Any:
    return hf.LlavaConfig(
        text_config=hf.MistralConfig(vocab_size=len(tokenizer), **HEAD),
        vision_config=hf.PixtralVisionConfig(**(CLIP | {"image_size": 64}), head_dim=8),
        image_token_index=_id(tokenizer, "[IMG]"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
    )


def molmo2(tokenizer: Any) -> Any:
    vision = {k: v for k, v in CLIP.items() if k != "image_size"} | {
        "num_key_value_heads": 4,
        "head_dim": 8,
        "image_size": [32, 32],
    }
    # The text part keeps its special tokens in rows behind the vocabulary.
    text = HEAD | {"vocab_size": len(tokenizer), "additional_vocab_size": 8}
    adapter = {"vision_feature_layer": [1, 0], "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 4}
    return hf.Molmo2Config(
        text_config=text,
        vision_config=vision,
        adapter_config=adapter | {"head_dim": 8, "intermediate_size": 64, "text_hidden_size": 32, "initializer_range": 0.2},
        image_patch_id=_id(tokenizer, "<im_patch>"),
        image_start_token_id=_id(tokenizer, "<im_start>"),
        low_res_image_start_token_id=_id(tokenizer, "<low_res_im_start>"),
        image_end_token_id=_id(tokenizer, "<im_end>"),
        frame_start_token_id=_id(tokenizer, "<frame_start>"),
        frame_end_token_id=_id(tokenizer, "<frame_end>"),
    )


def mistral3(tokenizer: Any) -> Any:
    return hf.Mistral3Config(
        text_config=hf.MistralConfig(vocab_size=len(tokenizer), **HEAD),
        vision_config=hf.PixtralVisionConfig(**(CLIP | {"image_size": 64}), head_dim=8),
        image_token_index=_id(tokenizer, "[IMG]"),
        spatial_merge_size=2,
        vision_feature_layer=-1,
    )


def internvl(tokenizer: Any) -> Any:
    return hf.InternVLConfig(
        text_config=hf.Qwen2Config(vocab_size=len(tokenizer), **TEXT),
        vision_config=CLIP | {"image_size": [32, 32], "patch_size": [8, 8]},
        image_token_id=_id(tokenizer, "<IMG_CONTEXT>"),
        downsample_ratio=0.5,
    )


def gemma3(tokenizer: Any) -> Any:
    return hf.Gemma3Config(
        text_config=HEAD
        | {
            "vocab_size": len(tokenizer),
            "sliding_window": 32,
            "query_pre_attn_scalar": 8,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        vision_config=CLIP | {"vision_use_head": False},
        mm_tokens_per_image=4,
        image_token_index=_id(tokenizer, "<image_soft_token>"),
        boi_token_index=_id(tokenizer, "<start_of_image>"),
        eoi_token_index=_id(tokenizer, "<end_of_image>"),
    )


def mllama(tokenizer: Any) -> Any:
    return hf.MllamaConfig(
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_global_layers": 1,
            "attention_heads": 4,
            "image_size": 32,
            "patch_size": 8,
            "vision_output_dim": 64,
            "intermediate_layers_indices": [0],
            "max_num_tiles": 2,
            "supported_aspect_ratios": [[1, 1], [1, 2], [2, 1]],
        },
        text_config=TEXT
        | {
            "vocab_size": len(tokenizer) - 1,
            "num_hidden_layers": 3,
            "cross_attention_layers": [1],
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        },
        image_token_index=_id(tokenizer, "<|image|>"),
    )


def paligemma(tokenizer: Any) -> Any:
    text = hf.Gemma2Config(vocab_size=len(tokenizer), **HEAD, query_pre_attn_scalar=8, sliding_window=64)
    return hf.PaliGemmaConfig(
        text_config=text,
        vision_config=hf.SiglipVisionConfig(**CLIP, vision_use_head=False, projection_dim=32),
        projection_dim=32,
        image_token_index=_id(tokenizer, "<image>"),
        hidden_size=32,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )


def blip2(tokenizer: Any, name: str, decoder: bool) -> Any:
    opt = hf.OPTConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        ffn_dim=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        init_std=0.2,
        max_position_embeddings=256,
        word_embed_proj_dim=32,
        dropout=0.0,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    t5 = hf.T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_ff=64,
        d_kv=8,
        num_layers=2,
        num_heads=4,
        dropout_rate=0.0,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=2,
        bos_token_id=1,
    )
    qformer = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "encoder_hidden_size": 32,
        "cross_attention_frequency": 1,
        "vocab_size": len(tokenizer),
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "max_position_embeddings": 256,
    }
    config = getattr(hf, f"{name}Config")
    made = config(
        text_config=(opt if decoder else t5).to_dict(),
        vision_config=CLIP,
        qformer_config=qformer,
        num_query_tokens=4,
        image_token_index=_id(tokenizer, "<image>"),
    )
    return made


def blip(tokenizer: Any, architecture: str) -> Any:
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "projection_dim": 16}
    text = {"vocab_size": len(tokenizer), "encoder_hidden_size": 32, "max_position_embeddings": 256, "initializer_range": 0.2}
    text |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "bos_token_id": 1, "sep_token_id": 2}
    return hf.BlipConfig(
        text_config=sizes | text | {"pad_token_id": 0, "eos_token_id": 2},
        vision_config=sizes | {"image_size": 32, "patch_size": 8, "initializer_range": 0.2},
        projection_dim=16,
        image_text_hidden_size=16,
        architectures=[architecture],
    )


def florence2(tokenizer: Any) -> Any:
    text = {
        "vocab_size": len(tokenizer),
        "d_model": 32,
        "encoder_layers": 1,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
        "max_position_embeddings": 256,
        "init_std": 0.2,
        "dropout": 0.0,
        "decoder_start_token_id": 2,
        "forced_bos_token_id": None,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "is_encoder_decoder": True,
    }
    vision = {
        "embed_dim": [8, 16, 16, 32],
        "num_heads": [2, 2, 2, 2],
        "num_groups": [2, 2, 2, 2],
        "depths": [1, 1, 1, 1],
        "window_size": 4,
        "projection_dim": 32,
        "drop_path_rate": 0.0,
        "max_temporal_embeddings": 4,
        "max_position_embeddings": 8,
    }
    return hf.Florence2Config(
        text_config=text, vision_config=vision, image_token_id=_id(tokenizer, "<image>"), is_encoder_decoder=True
    )


def kosmos2(tokenizer: Any) -> Any:
    return hf.Kosmos2Config(text_config=_kosmos_text(tokenizer), vision_config=CLIP, latent_query_num=64)


def _kosmos_text(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "embed_dim": 32,
        "ffn_dim": 64,
        "layers": 2,
        "attention_heads": 4,
        "max_position_embeddings": 256,
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "init_std": 0.2,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }


def kosmos2_5(tokenizer: Any) -> Any:
    vision = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "head_dim": 8,
        "max_num_patches": 4096,
        "patch_embed_hidden_size": 192,
    }
    return hf.Kosmos2_5Config(text_config=_kosmos_text(tokenizer), vision_config=vision, latent_query_num=4)


def janus(tokenizer: Any) -> Any:
    vision = hf.JanusVisionConfig(**CLIP, projection_dim=32, num_image_tokens=16)
    vq = hf.JanusVQVAEConfig(
        embed_dim=8,
        num_embeddings=16,
        base_channels=32,
        channel_multiplier=[1, 1],
        num_res_blocks=1,
        latent_channels=8,
        projection_dim=32,
        image_token_embed_dim=32,
        num_patches=16,
    )
    return hf.JanusConfig(
        text_config=llama(tokenizer), vision_config=vision, vq_config=vq, image_token_id=_id(tokenizer, "<image>")
    )
