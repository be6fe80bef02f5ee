"""`vistune pretrain language`: a small Llama taught next-token prediction on the world told in words.

Each document is a conversation about a scene. What the scene shows is told patch by patch (`patches.py`) or, in some documents,
as a list of objects with their boxes. What a language model brings to visual instruction tuning, it brings from here: the
words, the forms of questions and answers, and the skills of looking up, counting, comparing and copying coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from vistune.data.packing import Batch, Example, pack
from vistune.evals.metrics.box_iou import box_iou
from vistune.model.features import Geometry, Prepared
from vistune.model.fusion.splice import splice
from vistune.model.inputs import Inputs
from vistune.model.language import LanguageModel
from vistune.pretrain.loop import pretrain
from vistune.pretrain.patches import PLACES, Patches
from vistune.pretrain.tokenizer import train_bpe
from vistune.prompt.codecs.location_tokens import LocationTokens
from vistune.prompt.render import Renderer
from vistune.prompt.templates.vicuna_v1 import VicunaV1
from vistune.sample import MediaRef, Part, Region, Sample, Text, Turn
from vistune.training.precision import autocast, resolve
from vistune.world.digits import Split
from vistune.world.instructions import conversation_sample, question_sample

BINS = 64  # a box is written to the pixel
TURNS = 8
LISTS = 0.1
REPEAT = "\nName every object and its box."
MEASURED = (
    "identity",
    "colour",
    "count",
    "existence_adversarial",
    "refer_box",
    "spatial",
    "comparison",
    "arithmetic",
    "reading",
)
VALIDATION = 64  # questions of each task
CODEC = LocationTokens(bins=BINS)
TEMPLATE = VicunaV1(system="")


def told(sample: Sample, rng: np.random.Generator) -> Sample:
    """The conversation with its picture replaced by a list of objects, which is first to be said again.

    Copying what stands further up is what every other skill is made of, and a small model finds out how far sooner when it
    is asked to.
    """
    words = inventory(sample, rng)
    turns = []
    for turn in sample.turns:
        parts: list[Part] = []
        for part in turn.parts:
            parts += words if isinstance(part, MediaRef) else [part]
        turns.append(replace(turn, parts=tuple(parts)))
    first = replace(turns[0], parts=turns[0].parts[len(words) :])  # the list now stands before it
    said_again = [Turn("user", (*words, Text(REPEAT))), Turn("assistant", tuple(words))]
    return replace(sample, turns=(*said_again, first, *turns[1:]))


def inventory(sample: Sample, rng: np.random.Generator) -> list[Part]:
    """`red seven` and its box, `blue circle` and its box, ..., in any order."""
    parts: list[Part] = []
    for index in rng.permutation(len(sample.regions)):
        region = sample.regions[int(index)]
        parts += [Text(f" {region.label}"), replace(region, label=None)]
    return parts


def documents(first: int, count: int, split: Split = "train", turns: int = TURNS, lists: float = LISTS) -> Iterator[Sample]:
    """Conversations `first` ... `first + count` of up to `turns` questions, `lists` of them told as a list."""
    for seed in range(first, first + count):
        sample, rng = conversation_sample(seed, split, turns), np.random.default_rng([seed, len(split)])
        yield told(sample, rng) if rng.random() < lists else sample


def language_tokenizer() -> PreTrainedTokenizerFast:
    """Llama's conventions: a beginning in front, an end behind what is finished; location tokens included."""
    texts = (part.text for sample in documents(0, 4000, lists=1.0) for turn in sample.turns for part in _texts(turn.parts))
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
        rope_parameters={"rope_type": "default", "rope_theta": 100_000.0},
        initializer_range=0.07,  # one over the root of the width: with the usual 0.02 looking up is found several times later
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


class Pretraining(nn.Module):
    """The wrapper the trained model will run in, its loss on documents, and questions to measure it with."""

    def __init__(self, folder: str, load_weights: bool) -> None:
        super().__init__()
        self.llm = LanguageModel(folder, load_weights=load_weights)
        self.renderer = Renderer(TEMPLATE, CODEC, self.llm.tokenizer, self.llm.tokenizer.pad_token_id)
        self.patches = Patches(self.llm, CODEC)

    def read(self, samples: Sequence[Sample], generator: torch.Generator | None = None) -> tuple[Batch, Tensor]:
        """The packed documents and the hidden states `[T, H]` they lead to."""
        batch = pack([self._example(sample, generator) for sample in samples])
        inputs = Inputs(self.llm.embed(batch.ids), batch.positions, batch.lengths)
        return batch, self.llm(splice(inputs, [told.pixels for told in batch.media], batch.slots))

    def _example(self, sample: Sample, generator: torch.Generator | None) -> Example:
        rendered = self.renderer.render(sample, lambda _: PLACES)
        if not rendered.slots:
            return Example(sample.id, rendered, {})
        return Example(sample.id, rendered, {0: Prepared(self.patches.tell(sample, generator), Geometry())})

    def losses(self, samples: Sequence[Sample], generator: torch.Generator, answers_only: bool) -> dict[str, Tensor]:
        """Mean next-token loss, over every word or over answers alone."""
        with autocast(resolve("auto", self.llm.embeddings.device), self.llm.embeddings.device):
            batch, hidden = self.read(samples, generator)
        labels = batch.labels
        if not answers_only:
            labels = torch.where((batch.positions == 0) | (batch.ids == self.renderer.placeholder), -100, batch.ids)
        return {"text": self.llm.loss_sum(hidden, labels) / (labels != -100).sum()}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Share of questions about unseen scenes, told patch by patch, whose every answer token is the likeliest one.

        A box counts when the likeliest tokens are a box that overlaps the right one by half.
        """
        scores = {}
        for task in MEASURED:
            samples = [question_sample(task, seed, "validation") for seed in range(VALIDATION)]
            batch, hidden = self.read(samples)
            likeliest = self.llm.logits(hidden).argmax(-1).roll(1)
            right = 0
            for sample, ids, labels in zip(
                samples, likeliest.split(batch.lengths), batch.labels.split(batch.lengths), strict=True
            ):
                right += self._right(sample, ids[labels != -100], labels[labels != -100])
            scores[task] = right / VALIDATION
        return scores

    def _right(self, sample: Sample, ids: Tensor, labels: Tensor) -> bool:
        if torch.equal(ids, labels):
            return True
        wanted = [part.box for part in sample.turns[-1].parts if isinstance(part, Region)]
        found = [region.box for region in CODEC.decode(str(self.llm.tokenizer.decode(ids)))]
        return bool(wanted and found and wanted[0] and found[0] and box_iou(wanted[0], found[0]) >= 0.5)


def order_numbers(llm: LanguageModel) -> None:
    """Give the location tokens new embeddings: sines and cosines of their numbers, so that neighbours are alike.

    With rows at random each number of each corner is learnt by itself, which a small model had not done when all other words
    could be looked up; in order, a rough box comes first and the rest follows.
    """
    rows = llm.tokenizer.convert_tokens_to_ids(CODEC.tokens)
    frequencies = torch.pi * BINS ** -(torch.arange(llm.width // 2) / (llm.width // 2))
    angles = torch.arange(len(rows))[:, None] * frequencies
    waves = torch.cat([angles.sin(), angles.cos()], dim=1)
    with torch.no_grad():
        size = llm.embeddings[rows].norm(dim=1).mean()
        llm.embeddings[rows] = waves * size / waves.norm(dim=1, keepdim=True)


def pretrain_language(
    out: Path,
    steps: int,
    batch: int = 16,
    lr: float = 2e-3,
    seed: int = 0,
    until: int | None = None,
    answers_from: int = 0,
    turns: int = TURNS,
    lists: float = LISTS,
    start: str | None = None,
) -> dict[str, float]:
    """Teach the language model, write a Hugging Face directory (bf16) into `out/language`, return its validation scores.

    Every word is learnt at first; from step `answers_from` on answers alone, as chat models are tuned: which question comes
    next cannot be known, and no longer drowns what can. It begins at random, or from the directory `start`, where the location
    tokens alone begin anew (`order_numbers`).
    """
    folder = out / "language"
    torch.manual_seed(seed)
    if start is None:
        tokenizer = language_tokenizer()
        AutoModelForCausalLM.from_config(language_config(tokenizer)).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    model = Pretraining(start or str(folder), load_weights=start is not None)
    if start is not None:
        order_numbers(model.llm)
        model.llm.tokenizer.save_pretrained(folder)

    def losses_at(step: int) -> dict[str, Tensor]:
        first = (seed * steps + step) * batch
        generator = torch.Generator().manual_seed(first)
        return model.losses(list(documents(first, batch, turns=turns, lists=lists)), generator, step >= answers_from)

    scores = pretrain(model, losses_at, model.validate, out, steps, lr, until)
    model.llm.model.to(torch.bfloat16).save_pretrained(folder)
    return scores
