"""Tiny random vision-language models of every family, in directories laid out as on the hub."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer

WORDS = ["What is in the picture?", "A red bus.", "USER: ASSISTANT: two cats", "Question: Answer: yes no one two", "blue seven"]
NAMED = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ 'IMAGE' }}{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAVA = (
    "{% for message in messages %}{{ message['role'].upper() + ': ' }}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ 'IMAGE\n' }}{% else %}{{ part['text'] }}{% endif %}{% endfor %}{{ ' ' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
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
SQUARE = {"height": 32, "width": 32}
CLIP_IMAGES = {"size": {"shortest_edge": 32}, "crop_size": SQUARE}
QWEN_IMAGES = {"patch_size": 8, "min_pixels": 16 * 16, "max_pixels": 32 * 32, "merge_size": 2, "temporal_patch_size": 2}


@dataclass
class Family:
    """How one family is built: `config(tokenizer)`, its processor's class and arguments, its picture processor."""

    config: Callable[[Any], Any]
    processor: str
    images: str
    image_arguments: dict[str, Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # named tokens of the tokenizer
    extra: tuple[str, ...] = ()  # further special tokens
    template: str | None = CHATML
    most: int = 3  # pictures in one question
    least: int = 0
    qformer: bool = False

    @property
    def image_token(self) -> str:
        """What a chat template writes where a picture is shown."""
        return self.tokens.get("boi_token", self.tokens.get("image_token", "<image>"))


def _llama(tokenizer: Any, **more: Any) -> Any:
    return hf.LlamaConfig(vocab_size=len(tokenizer), **TEXT, **more)


def _id(tokenizer: Any, token: str) -> int:
    return int(tokenizer.convert_tokens_to_ids(token))


def _qwen2_vl(tokenizer: Any, name: str, **vision: Any) -> Any:
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


def _idefics(tokenizer: Any) -> Any:
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


def _idefics3(tokenizer: Any, name: str = "Idefics3") -> Any:
    return getattr(hf, f"{name}Config")(
        text_config=_llama(tokenizer),
        vision_config=CLIP,
        image_token_id=_id(tokenizer, "<image>"),
        scale_factor=2,
        pad_token_id=0,
    )


def _idefics2(tokenizer: Any) -> Any:
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


def _llava(tokenizer: Any, name: str = "Llava", **more: Any) -> Any:
    return getattr(hf, f"{name}Config")(
        text_config=_llama(tokenizer),
        vision_config=hf.CLIPVisionConfig(**CLIP),
        image_token_index=_id(tokenizer, "<image>"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        **more,
    )


def _onevision(tokenizer: Any) -> Any:
    return hf.LlavaOnevisionConfig(
        text_config=hf.Qwen2Config(vocab_size=len(tokenizer), **TEXT),
        vision_config=hf.SiglipVisionConfig(**CLIP, vision_use_head=False),
        image_token_index=_id(tokenizer, "<image>"),
        video_token_index=_id(tokenizer, "<video>"),
        image_grid_pinpoints=[[32, 32], [32, 64], [64, 32]],
        vision_aspect_ratio="anyres_max_9",
    )


def _pixtral(tokenizer: Any) -> Any:
    return hf.LlavaConfig(
        text_config=hf.MistralConfig(vocab_size=len(tokenizer), **HEAD),
        vision_config=hf.PixtralVisionConfig(**(CLIP | {"image_size": 64}), head_dim=8),
        image_token_index=_id(tokenizer, "[IMG]"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
    )


def _internvl(tokenizer: Any) -> Any:
    return hf.InternVLConfig(
        text_config=hf.Qwen2Config(vocab_size=len(tokenizer), **TEXT),
        vision_config=CLIP | {"image_size": [32, 32], "patch_size": [8, 8]},
        image_token_id=_id(tokenizer, "<IMG_CONTEXT>"),
        downsample_ratio=0.5,
    )


def _gemma3(tokenizer: Any) -> Any:
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


def _mllama(tokenizer: Any) -> Any:
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


def _paligemma(tokenizer: Any) -> Any:
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


def _blip2(tokenizer: Any, name: str, decoder: bool) -> Any:
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


def _florence2(tokenizer: Any) -> Any:
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


def _kosmos2(tokenizer: Any) -> Any:
    text = {
        "vocab_size": len(tokenizer),
        "embed_dim": 32,
        "ffn_dim": 64,
        "layers": 2,
        "attention_heads": 4,
        "max_position_embeddings": 256,
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "init_std": 0.2,
    }
    text |= {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    return hf.Kosmos2Config(text_config=text, vision_config=CLIP, latent_query_num=64)


def _kosmos2_5(tokenizer: Any) -> Any:
    text = {
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
    vision = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "head_dim": 8,
        "max_num_patches": 4096,
        "patch_embed_hidden_size": 192,
    }
    return hf.Kosmos2_5Config(text_config=text, vision_config=vision, latent_query_num=4)


def _janus(tokenizer: Any) -> Any:
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
        text_config=_llama(tokenizer), vision_config=vision, vq_config=vq, image_token_id=_id(tokenizer, "<image>")
    )


QWEN_TOKENS = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
QWEN_EXTRA = ("<|vision_start|>", "<|vision_end|>")
IDEFICS_EXTRA = (
    "<fake_token_around_image>",
    "<global-img>",
    "<end_of_utterance>",
    *(f"<row_{r}_col_{c}>" for r in range(1, 4) for c in range(1, 4)),
)
IMAGE = {"image_token": "<image>"}
LLAVA_ARGUMENTS = {"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}

FAMILIES: dict[str, Family] = {
    "llava": Family(_llava, "LlavaProcessor", "CLIPImageProcessorPil", CLIP_IMAGES, LLAVA_ARGUMENTS, IMAGE, template=LLAVA),
    "llava_next": Family(
        lambda t: _llava(t, "LlavaNext", image_grid_pinpoints=[[32, 64], [64, 32]]),
        "LlavaNextProcessor",
        "LlavaNextImageProcessorPil",
        CLIP_IMAGES | {"image_grid_pinpoints": [[32, 64], [64, 32]]},
        LLAVA_ARGUMENTS,
        IMAGE,
        template=LLAVA,
    ),
    "llava_onevision": Family(
        _onevision,
        "LlavaOnevisionProcessor",
        "LlavaOnevisionImageProcessorPil",
        {"size": SQUARE, "image_grid_pinpoints": [[32, 32], [32, 64], [64, 32]]},
        {"num_image_tokens": 16, "vision_feature_select_strategy": "full", "vision_aspect_ratio": "anyres_max_9"},
        IMAGE | {"video_token": "<video>"},
    ),
    "pixtral": Family(
        _pixtral,
        "PixtralProcessor",
        "PixtralImageProcessorPil",
        {"size": {"longest_edge": 32}, "patch_size": {"height": 8, "width": 8}},
        {"patch_size": 8, "image_token": "[IMG]"},
        {"image_token": "[IMG]"},
        ("[IMG_BREAK]", "[IMG_END]"),
    ),
    "qwen2_vl": Family(
        lambda t: _qwen2_vl(t, "Qwen2VL", embed_dim=32, hidden_size=32),
        "Qwen2VLProcessor",
        "Qwen2VLImageProcessorPil",
        QWEN_IMAGES,
        {},
        QWEN_TOKENS,
        QWEN_EXTRA,
    ),
    "qwen2_5_vl": Family(
        lambda t: _qwen2_vl(
            t, "Qwen2_5_VL", hidden_size=32, out_hidden_size=32, intermediate_size=64, window_size=32, fullatt_block_indexes=[1]
        ),
        "Qwen2_5_VLProcessor",
        "Qwen2VLImageProcessorPil",
        QWEN_IMAGES,
        {},
        QWEN_TOKENS,
        QWEN_EXTRA,
    ),
    "qwen3_vl": Family(
        lambda t: _qwen2_vl(
            t,
            "Qwen3VL",
            hidden_size=32,
            out_hidden_size=32,
            intermediate_size=64,
            num_position_embeddings=16,
            deepstack_visual_indexes=[0],
        ),
        "Qwen3VLProcessor",
        "Qwen2VLImageProcessorPil",
        QWEN_IMAGES,
        {},
        QWEN_TOKENS,
        QWEN_EXTRA,
    ),
    "idefics": Family(
        _idefics,
        "IdeficsProcessor",
        "IdeficsImageProcessorPil",
        {"image_size": 32},
        {"image_size": 32},
        {},
        IDEFICS_EXTRA[:1],
        template=None,
    ),
    "idefics2": Family(
        _idefics2,
        "Idefics2Processor",
        "Idefics2ImageProcessorPil",
        {"size": {"shortest_edge": 16, "longest_edge": 32}, "do_image_splitting": False},
        {"image_seq_len": 4},
        {},
        IDEFICS_EXTRA,
    ),
    "idefics3": Family(
        _idefics3,
        "Idefics3Processor",
        "Idefics3ImageProcessorPil",
        {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}},
        {"image_seq_len": 4},
        {},
        IDEFICS_EXTRA,
    ),
    "smolvlm": Family(
        lambda t: _idefics3(t, "SmolVLM"),
        "SmolVLMProcessor",
        "SmolVLMImageProcessorPil",
        {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}},
        {"image_seq_len": 4},
        {},
        IDEFICS_EXTRA,
    ),
    "internvl": Family(
        _internvl,
        "InternVLProcessor",
        "GotOcr2ImageProcessorPil",
        {"size": SQUARE, "crop_to_patches": True, "min_patches": 1, "max_patches": 2},
        {"image_seq_length": 4},
        {
            "image_token": "<IMG_CONTEXT>",
            "context_image_token": "<IMG_CONTEXT>",
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "video_token": "<video>",
        },
    ),
    "gemma3": Family(
        _gemma3,
        "Gemma3Processor",
        "Gemma3ImageProcessorPil",
        {"size": SQUARE},
        {"image_seq_length": 4},
        {"image_token": "<image_soft_token>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>"},
    ),
    "mllama": Family(
        _mllama,
        "MllamaProcessor",
        "MllamaImageProcessorPil",
        {"size": SQUARE, "max_image_tiles": 2},
        {},
        {"image_token": "<|image|>"},
    ),
    "paligemma2": Family(
        _paligemma,
        "PaliGemmaProcessor",
        "SiglipImageProcessorPil",
        {"size": SQUARE, "image_seq_length": 16},
        {},
        IMAGE,
        template=None,
        least=1,
    ),
    "blip2": Family(
        lambda t: _blip2(t, "Blip2", True),
        "Blip2Processor",
        "BlipImageProcessorPil",
        {"size": SQUARE},
        {"num_query_tokens": 4},
        template=None,
        least=1,
        most=1,
    ),
    "blip2_t5": Family(
        lambda t: _blip2(t, "Blip2", False),
        "Blip2Processor",
        "BlipImageProcessorPil",
        {"size": SQUARE},
        {"num_query_tokens": 4},
        template=None,
        least=1,
        most=1,
    ),
    "instructblip": Family(
        lambda t: _blip2(t, "InstructBlip", True),
        "InstructBlipProcessor",
        "BlipImageProcessorPil",
        {"size": SQUARE},
        {"num_query_tokens": 4},
        template=None,
        least=1,
        most=1,
        qformer=True,
    ),
    "florence2": Family(
        _florence2,
        "Florence2Processor",
        "CLIPImageProcessorPil",
        {"size": SQUARE, "crop_size": SQUARE, "do_center_crop": False, "image_seq_length": 2},
        {},
        IMAGE,
        template=None,
        least=1,
        most=1,
    ),
    "kosmos2": Family(
        _kosmos2, "Kosmos2Processor", "CLIPImageProcessorPil", CLIP_IMAGES, {}, {}, template=None, most=1, least=1
    ),
    "kosmos2_5": Family(
        _kosmos2_5,
        "Kosmos2_5Processor",
        "Kosmos2_5ImageProcessorPil",
        {"patch_size": {"height": 8, "width": 8}, "max_patches": 16},
        {"num_image_tokens": 4},
        {"boi_token": "<image>", "eoi_token": "</image>", "image_token": "<s>"},
        template=None,
        most=1,
        least=1,
    ),
    "janus": Family(
        _janus,
        "JanusProcessor",
        "JanusImageProcessorPil",
        {"size": SQUARE, "min_size": 8},
        {"num_image_tokens": 16},
        {"image_token": "<image>", "boi_token": "<begin_of_image>", "eoi_token": "<end_of_image>"},
    ),
}
SHOWN = {"janus": "<image>", "kosmos2_5": "<image>"}  # Janus writes its placeholder, not the beginning token
QWEN_SHOWN = "<|vision_start|><|image_pad|><|vision_end|>"


def tokenizer_of(named: dict[str, str], extra: tuple[str, ...] = ()) -> Any:
    """Byte-level pairs; the special tokens come first, as `NAMED` is numbered in the configurations."""
    special = list(dict.fromkeys(["<pad>", "<s>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>", *named.values(), *extra]))
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = ByteLevel(add_prefix_space=False), ByteLevelDecoder()
    alphabet = ByteLevel.alphabet()
    tokenizer.train_from_iterator(WORDS * 5, BpeTrainer(special_tokens=special, initial_alphabet=alphabet, show_progress=False))
    begin = TemplateProcessing(single="<s> $A", pair="<s> $A $B:1", special_tokens=[("<s>", 1)])
    tokenizer.post_processor = begin
    own = {key: token for key, token in named.items() if key not in NAMED}
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, padding_side="left", **NAMED, extra_special_tokens=own
    )


def build(name: str, folder: Path) -> Path:
    """Write the family's model, tokenizer and processor to `folder`."""
    family = FAMILIES[name]
    tokenizer = tokenizer_of(NAMED | family.tokens, ("<image>", *family.extra))
    folder.mkdir(parents=True, exist_ok=True)
    if family.least and name.startswith(("kosmos2",)) and name == "kosmos2":
        hf.Kosmos2Processor(getattr(hf, family.images)(**family.image_arguments), tokenizer, 16)
    if name.startswith("paligemma"):
        hf.PaliGemmaProcessor(getattr(hf, family.images)(**family.image_arguments), tokenizer)
    torch.manual_seed(0)
    model = hf.AutoModelForImageTextToText.from_config(family.config(tokenizer))
    model.generation_config.update(bos_token_id=1, eos_token_id=2, pad_token_id=0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    getattr(hf, family.images)(**family.image_arguments).save_pretrained(folder)
    record = {"processor_class": family.processor, **family.arguments}
    (folder / "processor_config.json").write_text(json.dumps(record))
    if family.template is not None:
        shown = QWEN_SHOWN if name.startswith("qwen") else SHOWN.get(name, family.image_token)
        (folder / "chat_template.jinja").write_text(family.template.replace("IMAGE", shown))
    if family.qformer:
        tokenizer.save_pretrained(folder / "qformer_tokenizer")
    return folder
