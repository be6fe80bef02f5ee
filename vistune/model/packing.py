"""Samples made ready for the model, and packed: one row, one behind the other, no padding.

sample      0  0  0  0  0  1  1  1  2  2  2  2
ids         7  9  9  4  2  7  5  2  7  9  9  2       9: a medium's place
positions   0  1  2  3  4  0  1  2  0  1  2  3       restart with every sample
slots       image: (medium 0, start 1, length 2), (medium 1, start 9, length 2)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from vistune.model.features import Prepared
from vistune.prompt.render import IGNORE, Rendered, Slot, Slots


@dataclass(frozen=True, slots=True)
class Example:
    """A rendered sample, its prepared media and the question that shows each, by their number in the sample."""

    id: str
    rendered: Rendered
    media: dict[int, Prepared]
    questions: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """A packed row: `ids`, `labels`, `positions` `[T]`, the samples' `lengths`, `slots` in row coordinates whose `which`
    counts the batch's `media`, each shown in a question of `questions`, and `supervised`, the number of tokens with a label."""

    names: tuple[str, ...]
    ids: Tensor
    labels: Tensor
    positions: Tensor
    lengths: tuple[int, ...]
    slots: Slots
    media: tuple[Prepared, ...]
    questions: tuple[str, ...]
    supervised: int


def pack(examples: Sequence[Example]) -> Batch:
    """Lay examples one behind the other. The first label of each is dropped: nothing in its own sample predicts it."""
    ids: list[int] = []
    labels: list[int] = []
    positions: list[int] = []
    slots: Slots = {}
    media: list[Prepared] = []
    questions: list[str] = []
    for example in examples:
        start, number = len(ids), {index: len(media) + place for place, index in enumerate(example.media)}
        ids += example.rendered.ids
        labels += [IGNORE, *example.rendered.labels[1:]]
        positions += range(len(example.rendered))
        for kind, places in example.rendered.slots.items():
            moved = [Slot(number[slot.which], slot.start + start, slot.length) for slot in places]
            slots.setdefault(kind, []).extend(moved)
        media += example.media.values()
        questions += [example.questions.get(index, "") for index in example.media]
    return Batch(
        names=tuple(example.id for example in examples),
        ids=torch.tensor(ids),
        labels=torch.tensor(labels),
        positions=torch.tensor(positions),
        lengths=tuple(len(example.rendered) for example in examples),
        slots=slots,
        media=tuple(media),
        questions=tuple(questions),
        supervised=sum(example.rendered.supervised for example in examples),
    )
