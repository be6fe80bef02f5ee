"""Samples with a chosen and a rejected answer, packed so that picture, prompt and history stand there once.

    packed   s I I I q c c c | s I I I q r r | ...       chosen and rejected answer of one sample, one behind the other
    read     s I I I q | c c c | r r | ...               both go on from one beginning (`vistune.model.answering.prefixes`)

The rejected answer is the sample's `meta["rejected"]`. Only the last answer counts; earlier ones are history.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vistune.data.media.image import load_image
from vistune.data.order.epochs import sample_at
from vistune.data.samples import Samples
from vistune.errors import InputError
from vistune.model.answering.prefixes import Shared, agreement, lay, tokens
from vistune.model.packing import Batch, Example, pack, summed
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Stage
from vistune.sample import Media, Sample, Text, Turn
from vistune.training.distributed import ALONE, Ranks
from vistune.training.preference.losses import Preference, Unseen
from vistune.training.steps.work import Work

REJECTED = "rejected"
_SEEN = (0.01, 0.2)  # mDPO's crops: shares of the picture's area


@dataclass(frozen=True, slots=True)
class PairBatch:
    """A packed row of pairs, chosen before rejected; what they share; the chosen ones without pictures; and who they are."""

    row: Batch
    shared: Shared | None
    unseen: Batch | None
    places: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The samples' ids."""
        return self.row.names[::2]

    @property
    def ids(self) -> Tensor:
        """The tokens that are read: a beginning that two answers share counts once."""
        kept = self.row.ids if self.shared is None else self.row.ids[self.shared.kept]
        return kept if self.unseen is None else torch.cat([kept, self.unseen.ids])

    @property
    def supervised(self) -> int:
        """Tokens of the answers."""
        return self.row.supervised

    @property
    def counts(self) -> dict[str, int]:
        """What losses are counted in."""
        # The cross-entropy beside pair losses (`sft`) is over chosen answers alone, so it is counted in their tokens.
        chosen = sum(int((part != -100).sum()) for part in self.row.labels.split(self.row.lengths)[::2])
        return {"text": self.row.supervised, "pairs": len(self.places), "chosen": chosen}


def pair_of(sample: Sample) -> tuple[Sample, Sample]:
    """The sample with its chosen and with its rejected answer. Raises `InputError` where either is missing, or both are one."""
    rejected = sample.meta.get(REJECTED)
    if not isinstance(rejected, str) or not rejected.strip():
        raise InputError(f"{sample.where}: has no rejected answer (meta.{REJECTED}): read it with preferences:FILE")
    if not sample.turns or sample.turns[-1].role != "assistant":
        raise InputError(f"{sample.where}: does not end with an answer, so that nothing is chosen")
    *history, last = sample.turns
    # Earlier answers are the same on both sides: their likelihoods cancel in every margin and would only add noise to sums.
    before = tuple(replace(turn, train=False) for turn in history)
    if last.text.strip() == rejected.strip():
        raise InputError(f"{sample.where}: the chosen and the rejected answer are the same: {rejected[:60]!r}")
    chosen = replace(sample, turns=(*before, replace(last, train=True)))
    return chosen, replace(sample, turns=(*before, Turn("assistant", (Text(rejected),))))


def pairs_of_steps(
    model: VisionLanguageModel,
    samples: Samples,
    stage: Stage,
    told: Preference,
    seed: int,
    first: int,
    steps: int,
    ranks: Ranks = ALONE,
) -> Iterator[Work[PairBatch]]:
    """Prepare this process's pairs of each step, in order, from step `first` on."""
    renderer = model.renderer_of(stage.template)
    for step in range(first, steps):
        places = [step * stage.batch + place for place in ranks.part(stage.batch)]
        numbers = [sample_at(place, len(samples), seed) for place in places]
        rows = [numbers[start : start + stage.row] for start in range(0, len(numbers), stage.row)]
        batches = tuple(pair_batch(model, [samples[number] for number in row], row, renderer, told) for row in rows)
        yield Work(
            batches,
            counts=summed([batch.counts for batch in batches]),
            tokens=sum(len(batch.ids) for batch in batches),
            samples=len(numbers),
        )


def pair_batch(
    model: VisionLanguageModel, samples: Sequence[Sample], places: Sequence[int], renderer: Any, told: Preference
) -> PairBatch:
    """The pairs of some samples as one row. Raises `InputError` for a pair that is longer than the model reads."""
    examples: list[Example] = []
    unseen: list[Example] = []
    for sample in samples:
        both, known = pair_of(sample), dict[Any, Any]()  # what is known is prepared once for both answers
        examples += [model.example(each, renderer, known=known) for each in both]
        if told.hides:
            unseen.append(model.example(_without_picture(both[0], told.unseen), renderer))
    cut = next((example.id for example in examples if example.rendered.dropped_turns), None)
    if cut is not None:
        raise InputError(f"sample {cut!r}: with its answers it takes more than {model.spec.max_length} tokens")
    return PairBatch(pack(examples), shared_pairs(examples), pack(unseen) if unseen else None, tuple(places))


def shared_pairs(examples: Sequence[Example]) -> Shared | None:
    """What the two examples of each pair begin with in common."""
    rows = [tokens(example) for example in examples]
    common: dict[int, tuple[int, int]] = {}
    for first in range(0, len(rows), 2):
        length = agreement(rows[first : first + 2])
        common |= {first: (first, length), first + 1: (first, length)} if length else {}
    return lay(rows, common) if common else None


def _without_picture(sample: Sample, how: Unseen) -> Sample:
    """The sample with its pictures black, or cropped to at most a fifth (mDPO, section 3.2), the same each time."""
    if not any(medium.kind == "image" for medium in sample.media):
        raise InputError(f"{sample.where}: has no picture to take away, which the loss 'image' compares with")
    # By the sample's name, so that the reference and every epoch see the same crop.
    draw = random.Random(f"unseen:{sample.id}")
    media = tuple(_hidden(medium, how, draw, sample.where) if medium.kind == "image" else medium for medium in sample.media)
    return replace(sample, media=media)


def _hidden(medium: Media, how: Unseen, draw: random.Random, where: str) -> Media:
    picture = load_image(medium, where)
    if how == "black":
        return Media("image", data=np.zeros((picture.height, picture.width, 3), np.uint8))
    # The root: the share is one of the area, the crop is cut by its sides.
    side = draw.uniform(*_SEEN) ** 0.5
    width, height = max(1, round(side * picture.width)), max(1, round(side * picture.height))
    left, top = draw.randint(0, picture.width - width), draw.randint(0, picture.height - height)
    kept = picture.crop((left, top, left + width, top + height)).resize(picture.size)
    return Media("image", data=np.asarray(kept.convert("RGB")))
