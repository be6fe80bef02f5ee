"""What the speed benchmarks share: a random LLaVA of about 30 M parameters, its export, data, and the machine's name."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import random
from pathlib import Path

import numpy as np
import torch
import transformers as hf
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers

from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel

VOCABULARY = 32_000
SPECIAL = ("<unk>", "<pad>", "<s>", "</s>")


def build(folder: Path, pixels: int = 64, patch: int = 8) -> VisionLanguageModel:
    """Llama of width 384 and 8 layers with tied embeddings, a CLIP tower of width 192 and 6 layers, an MLP of two.

    A picture is `(pixels / patch) ** 2` tokens, a word one.
    """
    torch.manual_seed(0)
    words = _tokenizer()
    words.save_pretrained(folder / "language")
    ids = {"bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id}
    language = hf.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=384,
        intermediate_size=1024,
        num_hidden_layers=8,
        num_attention_heads=6,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        **ids,
    )
    hf.LlamaForCausalLM(language).save_pretrained(folder / "language")
    tower = hf.CLIPVisionConfig(
        hidden_size=192,
        intermediate_size=768,
        num_hidden_layers=6,
        num_attention_heads=6,
        image_size=pixels,
        patch_size=patch,
    )
    hf.CLIPVisionModel(tower).save_pretrained(folder / "tower")
    size = {"size": {"shortest_edge": pixels}, "crop_size": {"height": pixels, "width": pixels}}
    hf.CLIPImageProcessorPil(**size).save_pretrained(folder / "tower")
    spec = ModelSpec(
        llm=str(folder / "language"),
        vision={"kind": "huggingface", "path": str(folder / "tower")},
        connector={"kind": "mlp", "depth": 2},
        template={"kind": "vicuna_v1", "system": ""},
    )
    return VisionLanguageModel(spec).eval()


def _tokenizer() -> hf.PreTrainedTokenizerFast:
    """Words `w0`, `w1`, ... and the template's own, each one token, so that lengths are what a benchmark says they are."""
    entries = [*SPECIAL, "USER", "ASSISTANT", ":"]
    entries += [f"w{number}" for number in range(VOCABULARY - len(entries) - 1)]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(entries)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    named = {"unk_token": "<unk>", "pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **named)


def words(draw: random.Random, count: int) -> str:
    """That many random words."""
    return " ".join(f"w{draw.randrange(VOCABULARY - 100)}" for _ in range(count))


def picture(path: Path, seed: int, pixels: int) -> None:
    """A PNG of noise, square."""
    noise = np.random.default_rng(seed).integers(0, 255, (pixels, pixels, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


def conversations(folder: Path, count: int, pixels: int, seed: int = 0) -> list[dict[str, object]]:
    """Instruction data of one picture, one question and one answer a sample, in LLaVA's format, written into `folder`.

    Lengths are skewed as those of LLaVA-Instruct are: answers lognormal with a mean of about 105 tokens (sigma 0.85, at most
    900), questions with one of about 8.
    """
    draw = random.Random(seed)
    records: list[dict[str, object]] = []
    for number in range(count):
        picture(folder / f"{number}.png", number, pixels)
        answer = max(2, min(900, round(draw.lognormvariate(4.29, 0.85))))
        question = max(2, min(60, round(draw.lognormvariate(1.95, 0.5))))
        said = [("human", f"<image>\n{words(draw, question)}"), ("gpt", words(draw, answer))]
        turns = [{"from": role, "value": text} for role, text in said]
        records.append({"id": str(number), "image": f"{number}.png", "conversations": turns})
    (folder / "data.json").write_text(json.dumps(records))
    return records


def machine(*packages: str) -> str:
    """Processor, threads and versions, for the line under a table."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in ("torch", "transformers", *packages))
    return f"{name}, {torch.get_num_threads()} thread, Python {platform.python_version()}, {versions}"
