"""`vistune pretrain language`: a small Llama taught next-token prediction on the world told in words.

Each document is a conversation whose picture is replaced by a description in text: a list of objects with their boxes, or the
layout, patch by patch in reading order. What a language model brings to visual instruction tuning, it brings from here: the
words, the forms of questions and answers, and the skills of looking up, counting, comparing and copying coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from vistune.data.packing import Example, pack
from vistune.model.inputs import Inputs
from vistune.model.language import LanguageModel
from vistune.pretrain.loop import pretrain
from vistune.pretrain.tokenizer import train_bpe
from vistune.prompt.codecs.location_tokens import LocationTokens
from vistune.prompt.render import Renderer
from vistune.prompt.templates.vicuna_v1 import VicunaV1
from vistune.sample import Box, MediaRef, Part, Sample, Text, Turn
from vistune.world.digits import Split
from vistune.world.instructions import conversation_sample

BINS = 64  # a box is written to the pixel
GRID = 8
COVER = 0.3  # as in the encoder's dense labels: a patch shows an object whose box covers this much of it
TURNS = 8
REPEAT = "\nName every object and its box."
VALIDATION = 64
CODEC = LocationTokens(bins=BINS)
TEMPLATE = VicunaV1(system="")


def told(sample: Sample, rng: np.random.Generator, layouts: float = 0.5) -> Sample:
    """The conversation with its picture put into words.

    A list of objects is first to be said again: copying what stands further up is what every other skill is made of, and
    a small model finds out how far sooner when it is asked to.
    """
    listed = rng.random() >= layouts
    words = inventory(sample, rng) if listed else layout(sample)
    turns = []
    for turn in sample.turns:
        parts: list[Part] = []
        for part in turn.parts:
            parts += words if isinstance(part, MediaRef) else [part]
        turns.append(replace(turn, parts=tuple(parts)))
    if listed:
        said_again = Turn("assistant", tuple(words))
        turns = [Turn("user", (*words, Text(REPEAT))), said_again, *_without_words(turns, len(words))]
    return replace(sample, turns=tuple(turns))


def _without_words(turns: list[Turn], count: int) -> list[Turn]:
    """The first question without the description that now stands before it."""
    return [replace(turns[0], parts=turns[0].parts[count:]), *turns[1:]]


def inventory(sample: Sample, rng: np.random.Generator) -> list[Part]:
    """`red seven` and its box, `blue circle` and its box, ..., in any order."""
    parts: list[Part] = []
    for index in rng.permutation(len(sample.regions)):
        region = sample.regions[int(index)]
        parts += [Text(f" {region.label}"), replace(region, label=None)]
    return parts


def layout(sample: Sample) -> list[Part]:
    """For each patch in reading order the object that covers it, or a dot."""
    cells = [
        max(((_cover(region.bounds(), row, column), region.label) for region in sample.regions), default=(0.0, None))
        for row in range(GRID)
        for column in range(GRID)
    ]
    return [Text("".join(f" {label}" if cover > COVER and label else " ." for cover, label in cells))]


def _cover(box: Box, row: int, column: int) -> float:
    x1, y1, x2, y2 = (value * GRID for value in box)
    return max(0.0, min(column + 1, x2) - max(column, x1)) * max(0.0, min(row + 1, y2) - max(row, y1))


def documents(first: int, count: int, split: Split = "train", turns: int = TURNS, layouts: float = 0.5) -> Iterator[Sample]:
    """Conversations `first` ... `first + count` of `turns` questions, told in words; `layouts` of them patch by patch."""
    for seed in range(first, first + count):
        sample = conversation_sample(seed, split, turns)
        yield told(sample, np.random.default_rng([seed, len(split)]), layouts)


def language_tokenizer() -> PreTrainedTokenizerFast:
    """Llama's conventions: a beginning in front, an end behind what is finished; location tokens included."""
    texts = (part.text for sample in documents(0, 4000) for turn in sample.turns for part in _texts(turn.parts))
    frame = [TEMPLATE.user_prefix, TEMPLATE.assistant_prefix, "A picture:", "the answer is"] * 50
    return train_bpe(
        [*texts, *frame],
        size=900,
        special=["<pad>", "<s>", "</s>", *CODEC.tokens],
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
    )


def _texts(parts: tuple[Part, ...]) -> list[Text]:
    return [part for part in parts if isinstance(part, Text)]


def language_config(tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """3.3 M parameters."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=7,
        num_attention_heads=6,
        num_key_value_heads=6,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


class Pretraining(nn.Module):
    """The wrapper the trained model will run in, and its loss on documents."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.llm = LanguageModel(str(folder), load_weights=False)
        self.renderer = Renderer(TEMPLATE, CODEC, self.llm.tokenizer, self.llm.tokenizer.pad_token_id)

    def losses(self, samples: Iterator[Sample], answers_only: bool = False) -> dict[str, Tensor]:
        """Mean next-token loss, over every token or over answers alone."""
        batch = pack([Example(sample.id, self.renderer.render(sample, lambda _: 0), {}) for sample in samples])
        labels = batch.labels
        if not answers_only:
            labels = torch.where(batch.positions == 0, -100, batch.ids)
        hidden = self.llm(Inputs(self.llm.embed(batch.ids), batch.positions, batch.lengths))
        return {"text": self.llm.loss_sum(hidden, labels) / (labels != -100).sum()}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Loss on answers of unseen documents."""
        return {"answers": self.losses(documents(0, VALIDATION, "validation"), answers_only=True)["text"].item()}


def pretrain_language(
    out: Path,
    steps: int,
    batch: int = 16,
    lr: float = 2e-3,
    seed: int = 0,
    until: int | None = None,
    answers_from: int | None = None,
    turns: int = TURNS,
    layouts: float = 0.5,
) -> dict[str, float]:
    """Teach the language model, write a Hugging Face directory (bf16) into `out/language`, return its validation scores.

    Every token is learnt at first; from step `answers_from` on answers alone, as chat models are tuned: which question comes
    next cannot be known, and no longer drowns what can.
    """
    folder = out / "language"
    tokenizer = language_tokenizer()
    torch.manual_seed(seed)
    AutoModelForCausalLM.from_config(language_config(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    model = Pretraining(folder)

    def losses_at(step: int) -> dict[str, Tensor]:
        answers_only = answers_from is not None and step >= answers_from
        return model.losses(documents((seed * steps + step) * batch, batch, turns=turns, layouts=layouts), answers_only)

    scores = pretrain(model, losses_at, model.validate, out, steps, lr, until)
    model.llm.model.to(torch.bfloat16).save_pretrained(folder)
    return scores
