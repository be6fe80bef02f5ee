"""Tiny random vision-language models of every family, in directories laid out as on the hub."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import native_configs as configs
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


def _blip(architecture: str) -> Family:
    return Family(
        lambda t: configs.blip(t, architecture),
        "BlipProcessor",
        "BlipImageProcessorPil",
        {"size": SQUARE},
        template=None,
        least=1,
        most=1,
    )


def _blip2(name: str, decoder: bool, qformer: bool = False) -> Family:
    return Family(
        lambda t: configs.blip2(t, name, decoder),
        f"{name}Processor",
        "BlipImageProcessorPil",
        {"size": SQUARE},
        {"num_query_tokens": 4},
        template=None,
        least=1,
        most=1,
        qformer=qformer,
    )


FAMILIES: dict[str, Family] = {
    "llava": Family(
        configs.llava, "LlavaProcessor", "CLIPImageProcessorPil", CLIP_IMAGES, LLAVA_ARGUMENTS, IMAGE, template=LLAVA
    ),
    "llava_next": Family(
        lambda t: configs.llava(t, "LlavaNext", image_grid_pinpoints=[[32, 64], [64, 32]]),
        "LlavaNextProcessor",
        "LlavaNextImageProcessorPil",
        CLIP_IMAGES | {"image_grid_pinpoints": [[32, 64], [64, 32]]},
        LLAVA_ARGUMENTS,
        IMAGE,
        template=LLAVA,
    ),
    "llava_onevision": Family(
        configs.onevision,
        "LlavaOnevisionProcessor",
        "LlavaOnevisionImageProcessorPil",
        {"size": SQUARE, "image_grid_pinpoints": [[32, 32], [32, 64], [64, 32]]},
        {"num_image_tokens": 16, "vision_feature_select_strategy": "full", "vision_aspect_ratio": "anyres_max_9"},
        IMAGE | {"video_token": "<video>"},
    ),
    "pixtral": Family(
        configs.pixtral,
        "PixtralProcessor",
        "PixtralImageProcessorPil",
        {"size": {"longest_edge": 32}, "patch_size": {"height": 8, "width": 8}},
        {"patch_size": 8, "image_token": "[IMG]"},
        {"image_token": "[IMG]"},
        ("[IMG_BREAK]", "[IMG_END]"),
    ),
    "mistral3": Family(
        configs.mistral3,
        "PixtralProcessor",
        "PixtralImageProcessorPil",
        {"size": {"longest_edge": 32}, "patch_size": {"height": 8, "width": 8}},
        {"patch_size": 8, "spatial_merge_size": 2, "image_token": "[IMG]"},
        {"image_token": "[IMG]"},
        ("[IMG_BREAK]", "[IMG_END]"),
    ),
    "molmo2": Family(
        configs.molmo2,
        "Molmo2Processor",
        "",
        {"image_processor_type": "Molmo2ImageProcessor", "size": SQUARE, "patch_size": 8, "max_crops": 4}
        | {"overlap_margins": [1, 1], "pooling_size": [2, 2]},
        {},
        {"image_token": "<|image|>", "video_token": "<|video|>"},
        ("<im_patch>", "<im_col>", "<im_start>", "<low_res_im_start>", "<frame_start>", "<im_end>", "<frame_end>", "<im_low>"),
    ),
    "qwen2_vl": Family(
        lambda t: configs.qwen2_vl(t, "Qwen2VL", embed_dim=32, hidden_size=32),
        "Qwen2VLProcessor",
        "Qwen2VLImageProcessorPil",
        QWEN_IMAGES,
        {},
        QWEN_TOKENS,
        QWEN_EXTRA,
    ),
    "qwen2_5_vl": Family(
        lambda t: configs.qwen2_vl(
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
        lambda t: configs.qwen2_vl(
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
        configs.idefics,
        "IdeficsProcessor",
        "IdeficsImageProcessorPil",
        {"image_size": 32},
        {"image_size": 32},
        {},
        IDEFICS_EXTRA[:1],
        template=None,
    ),
    "idefics2": Family(
        configs.idefics2,
        "Idefics2Processor",
        "Idefics2ImageProcessorPil",
        {"size": {"shortest_edge": 16, "longest_edge": 32}, "do_image_splitting": False},
        {"image_seq_len": 4},
        {},
        IDEFICS_EXTRA,
    ),
    "idefics3": Family(
        configs.idefics3,
        "Idefics3Processor",
        "Idefics3ImageProcessorPil",
        {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}},
        {"image_seq_len": 4},
        {},
        IDEFICS_EXTRA,
    ),
    "smolvlm": Family(
        lambda t: configs.idefics3(t, "SmolVLM"),
        "SmolVLMProcessor",
        "SmolVLMImageProcessorPil",
        {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}},
        {"image_seq_len": 4},
        {},
        IDEFICS_EXTRA,
    ),
    "internvl": Family(
        configs.internvl,
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
        configs.gemma3,
        "Gemma3Processor",
        "Gemma3ImageProcessorPil",
        {"size": SQUARE},
        {"image_seq_length": 4},
        {"image_token": "<image_soft_token>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>"},
    ),
    "mllama": Family(
        configs.mllama,
        "MllamaProcessor",
        "MllamaImageProcessorPil",
        {"size": SQUARE, "max_image_tiles": 2},
        {},
        {"image_token": "<|image|>"},
    ),
    "paligemma2": Family(
        configs.paligemma,
        "PaliGemmaProcessor",
        "SiglipImageProcessorPil",
        {"size": SQUARE, "image_seq_length": 16},
        {},
        IMAGE,
        template=None,
        least=1,
    ),
    "blip": _blip("BlipForConditionalGeneration"),
    "blip_vqa": _blip("BlipForQuestionAnswering"),
    "blip2": _blip2("Blip2", decoder=True),
    "blip2_t5": _blip2("Blip2", decoder=False),
    "instructblip": _blip2("InstructBlip", decoder=True, qformer=True),
    "florence2": Family(
        configs.florence2,
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
        configs.kosmos2, "Kosmos2Processor", "CLIPImageProcessorPil", CLIP_IMAGES, {}, {}, template=None, most=1, least=1
    ),
    "kosmos2_5": Family(
        configs.kosmos2_5,
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
        configs.janus,
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
    config = family.config(tokenizer)
    if config.model_type == "blip":
        model = getattr(hf, config.architectures[0])(config)
    else:
        model = hf.AutoModelForImageTextToText.from_config(config)
    model.generation_config.update(bos_token_id=1, eos_token_id=2, pad_token_id=0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if family.images:
        getattr(hf, family.images)(**family.image_arguments).save_pretrained(folder)
    else:  # transformers cannot make it without torchvision
        (folder / "preprocessor_config.json").write_text(json.dumps(family.image_arguments))
    record = {"processor_class": family.processor, **family.arguments}
    (folder / "processor_config.json").write_text(json.dumps(record))
    if family.template is not None:
        shown = QWEN_SHOWN if name.startswith("qwen") else SHOWN.get(name, family.image_token)
        (folder / "chat_template.jinja").write_text(family.template.replace("IMAGE", shown))
    if family.qformer:
        tokenizer.save_pretrained(folder / "qformer_tokenizer")
    return folder
