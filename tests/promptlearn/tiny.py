"""A tiny random CLIP directory with a word tokenizer of its own, written as users' directories are."""

from __future__ import annotations

import json

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

WORDS = [
    "X",
    "a",
    "an",
    "the",
    "photo",
    "picture",
    "image",
    "of",
    "and",
    "nothing",
    "else",
    "this",
    "is",
    "small",
    "large",
    "red",
    "green",
    "blue",
    "yellow",
    "one",
    "three",
    "four",
    "seven",
    "zero",
    "two",
    "five",
    "circle",
    "star",
    "square",
    "triangle",
    "cross",
    "ring",
]


def write_clip(folder):
    """Write it; a name like `small red one` is three tokens."""
    torch.manual_seed(0)
    table = {"[UNK]": 0, ".": 1, ",": 2} | {word: 3 + i for i, word in enumerate(WORDS)}
    start, end = len(table), len(table) + 1
    table |= {"<start>": start, "<end>": end}
    tokenizer = Tokenizer(models.WordLevel(table, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", bos_token="<start>", eos_token="<end>"
    ).save_pretrained(folder)
    shape = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config={
            **shape,
            "vocab_size": len(table),
            "bos_token_id": start,
            "eos_token_id": end,
            "max_position_embeddings": 40,
        },
        vision_config={**shape, "image_size": 64, "patch_size": 16},
        projection_dim=16,
    )
    CLIPModel(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.25] * 3}))
    return folder
