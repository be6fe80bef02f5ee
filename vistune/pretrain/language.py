"""`vistune pretrain language`: a small Llama taught next-token prediction on the world told in words.

Each document is a conversation about a scene or a sheet of facts about it (`world/tasks/facts.py`). What the scene shows is
told patch by patch (`patches.py`). What a language model brings to visual instruction tuning, it brings from here: the words,
the forms of questions and answers, and the skills of looking up, counting, comparing and copying coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, PreTrainedTokenizerFast

from vistune.evals.metrics.box_iou import box_iou
from vistune.model.features import Prepared, Thing
from vistune.model.fusion.splice import splice
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs
from vistune.model.packing import Batch, Example, pack
from vistune.model.weights.assets import locate
from vistune.pretrain.loop import STATE, adamw, pretrain
from vistune.pretrain.patches import PLACES, Patches
from vistune.pretrain.telling import is_told, places_of
from vistune.pretrain.tokenizer import train_bpe
from vistune.prompt.codecs.location_tokens import LocationTokens
from vistune.prompt.render import Renderer
from vistune.prompt.templates.vicuna_v1 import VicunaV1
from vistune.prompt.writer import FixedPlaces, Writer
from vistune.sample import Region, Sample, Text
from vistune.training.steps.optimizers import inner_matrices
from vistune.training.steps.precision import autocast, resolve
from vistune.world.digits import Split
from vistune.world.forms import FORMS, in_form
from vistune.world.instructions import conversation_sample, question_sample
from vistune.world.senses import SENSES, sense_conversation, sense_sample

BINS = 64  # a box is written to the pixel
TURNS = 8
SPOKEN = ("films", "sounds", "solids", "pages")  # the senses whose questions are answered in words
SENSES_SHARE = 0.5  # of the documents
FORMED = 0.4  # of the questions, where the form drawn fits
WARMUP = 200
EARLY = 0.5  # of the steps are taken on
FEW = 24  # places a scene,
MANY_FACTS = 0.6  # of the documents being sheets of facts,
SOME_FACTS = 0.4  # and the others on all places with fewer sheets
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
VALIDATION, OTHERS = 64, 32  # questions of each task about pictures, and about other senses
CODEC = LocationTokens(bins=BINS)
TEMPLATE = VicunaV1(system="")


def documents(
    first: int, count: int, split: Split = "train", facts: float = 0.0, senses: float = SENSES_SHARE
) -> Iterator[Sample]:
    """Documents `first` ... `first + count`: a share of other `senses`; the rest conversations and a share of `facts` sheets.

    Of the questions in conversations a share is asked for in one of the field's forms.
    """
    for seed in range(first, first + count):
        rng = np.random.default_rng([seed, len(split)])
        sheet = rng.random() < facts
        if rng.random() < senses:
            yield formed(sense_conversation(SPOKEN[int(rng.integers(len(SPOKEN)))], seed, split, TURNS), rng)
        elif sheet:
            yield question_sample("facts", seed, split)
        else:
            yield formed(conversation_sample(seed, split, TURNS), rng)


def formed(sample: Sample, rng: np.random.Generator) -> Sample:
    """The conversation with a share of its questions in a form drawn for each."""
    turns = list(sample.turns)
    for place in range(0, len(turns), 2):
        form = FORMS[int(rng.integers(len(FORMS)))]
        if rng.random() < FORMED and (pair := in_form(turns[place], turns[place + 1], form, rng)) is not None:
            turns[place : place + 2] = pair
    return replace(sample, turns=tuple(turns))


def language_tokenizer() -> PreTrainedTokenizerFast:
    """Llama's conventions: a beginning in front, an end behind what is finished; location tokens included."""
    texts = [
        f" {part.text}" if turn.role == "assistant" and not part.text.startswith((" ", ",")) else part.text
        for sample in documents(0, 4000, facts=0.1)
        for turn in sample.turns
        for part in turn.parts
        if isinstance(part, Text)
    ]
    frame = [TEMPLATE.user_prefix, TEMPLATE.assistant_prefix] * 50
    return train_bpe(
        [*texts, *frame],
        size=900,
        special=["<pad>", "<s>", "</s>", *CODEC.tokens],
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
    )


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

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.llm = LanguageModel(folder)
        self.patches = Patches(self.llm)

    def read(
        self, samples: Sequence[Sample], places: int = PLACES, generator: torch.Generator | None = None
    ) -> tuple[Batch, Tensor]:
        """The packed documents and the hidden states `[T, H]` they lead to."""
        batch = pack([self._example(sample, places, generator) for sample in samples])
        inputs = Inputs(self.llm.embed(batch.ids), batch.positions, batch.lengths)
        tokens = {kind: [thing.ready.inputs for thing in things] for kind, things in batch.things.items()}
        return batch, self.llm(splice(inputs, tokens, batch.slots))

    def _example(self, sample: Sample, places: int, generator: torch.Generator | None) -> Example:
        tokenizer = self.llm.tokenizer
        kind = sample.media[0].kind
        if is_told(sample):
            seed = int(sample.meta["seed"])
            told = self.patches.tell_places(places_of(sample, np.random.default_rng(seed)), generator)
        else:
            told = self.patches.tell(sample, places, generator)
        writers: dict[str, Writer] = {kind: FixedPlaces(len(told))}
        rendered = Renderer(TEMPLATE, CODEC, tokenizer, tokenizer.pad_token_id, writers).render(sample)
        return Example(sample.id, rendered, {kind: [Thing(Prepared(told))]})

    def losses(self, samples: Sequence[Sample], places: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Mean next-token loss over answers: which question comes next cannot be known, and would drown what can."""
        with autocast(resolve("auto", self.llm.embeddings.device), self.llm.embeddings.device):
            batch, hidden = self.read(samples, places, generator)
        return {"text": self.llm.loss_sum(hidden, batch.labels) / (batch.labels != -100).sum()}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Share of questions about unseen scenes, told patch by patch, whose every answer token is the likeliest one.

        A box counts when the likeliest tokens are a box that overlaps the right one by half.
        """
        scores = {}
        for task in (*MEASURED, *(task for sense in SPOKEN for task in SENSES[sense].tasks())):
            draw, count = (question_sample, VALIDATION) if task in MEASURED else (sense_sample, OTHERS)
            samples = [draw(task, seed, "validation") for seed in range(count)]
            batch, hidden = self.read(samples)
            likeliest = self.llm.logits(hidden).argmax(-1).roll(1)
            right = 0
            for sample, ids, labels in zip(
                samples, likeliest.split(batch.lengths), batch.labels.split(batch.lengths), strict=True
            ):
                right += self._right(sample, ids[labels != -100], labels[labels != -100])
            scores[task] = right / count
        return scores

    def _right(self, sample: Sample, ids: Tensor, labels: Tensor) -> bool:
        if torch.equal(ids, labels):
            return True
        wanted = [part.box for part in sample.turns[-1].parts if isinstance(part, Region)]
        found = [region.box for region in CODEC.decode(str(self.llm.tokenizer.decode(ids)))]
        return bool(wanted and found and wanted[0] and found[0] and box_iou(wanted[0], found[0]) >= 0.5)


def order_numbers(llm: LanguageModel) -> None:
    """Give the location tokens embeddings of sines and cosines of their numbers, so that neighbours are alike.

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


def optimizers(llm: LanguageModel, lr: float) -> list[torch.optim.Optimizer]:
    """Muon (https://kellerjordan.github.io/posts/muon/) for the layers' matrices, AdamW for embeddings and norms.

    Looking up by a name, which AdamW alone had not found in 44,000 conversations, appears within the first 2,000 documents.
    """
    inner = inner_matrices(llm)
    matrices = [parameter for parameter in llm.parameters() if id(parameter) in inner]
    rest = [parameter for parameter in llm.parameters() if id(parameter) not in inner]
    return [torch.optim.Muon(matrices, lr=lr, weight_decay=0.05), adamw(rest, lr / 10)]


def pretrain_language(
    out: Path,
    steps: int,
    batch: int = 16,
    lr: float = 2e-2,
    seed: int = 0,
    until: int | None = None,
    begin: str | None = None,
) -> dict[str, float]:
    """Teach the language model, write a Hugging Face directory (bf16) into `out/language`, return its validation scores.

    From nothing, scenes are told in few places and mostly as sheets of facts up to the share `EARLY` of the steps, then in all
    of them and mostly in conversations. A model to `begin` with (a directory, or `builtin:NAME`) knows that, keeps its
    words and is told everything in all places.
    """
    folder = out / "language"
    torch.manual_seed(seed)
    if not (out / STATE).exists():  # a run that goes on keeps its words
        if begin is None:
            tokenizer = language_tokenizer()
            AutoModelForCausalLM.from_config(language_config(tokenizer)).save_pretrained(folder)
        else:
            tokenizer = AutoTokenizer.from_pretrained(locate(begin), trust_remote_code=False)
            held = AutoModelForCausalLM.from_pretrained(locate(begin), dtype=torch.float32, trust_remote_code=False)
            held.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    model = Pretraining(str(folder))
    if begin is None:
        order_numbers(model.llm)

    def losses_at(step: int) -> dict[str, Tensor]:
        first = (seed * steps + step) * batch
        early = begin is None and step < EARLY * steps
        places, facts = (FEW, MANY_FACTS) if early else (PLACES, SOME_FACTS)
        samples = list(documents(first, batch, facts=facts))
        return model.losses(samples, places, torch.Generator().manual_seed(first))

    warmup = WARMUP if begin is None else WARMUP // 4
    scores = pretrain(model, losses_at, model.validate, out, steps, optimizers(model.llm, lr), until, warmup)
    model.llm.model.to(torch.bfloat16).save_pretrained(folder)
    return scores
