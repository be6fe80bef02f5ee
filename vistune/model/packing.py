"""Samples made ready for the model, and packed: one row, one behind the other, no padding.

sample      0  0  0  0  0  1  1  1  2  2  2  2
ids         7  9  9  4  2  7  5  2  7  9  9  2       9: a place that is filled
positions   0  1  2  3  4  0  1  2  0  1  2  3       restart with every sample
slots       image: (thing 0, start 1, length 2), (thing 1, start 9, length 2)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vistune.model.features import Prepared, Thing
from vistune.model.language.branches import positions as branched
from vistune.prompt.render import IGNORE, Rendered, Slot, Slots
from vistune.prompt.writer import MADE, Branch
from vistune.sample import MEDIA_KINDS


@dataclass(frozen=True, slots=True)
class Example:
    """A rendered sample and its things by kind, in the order in which its slots count them."""

    id: str
    rendered: Rendered
    things: Mapping[str, Sequence[Thing]]

    @property
    def media(self) -> list[Prepared]:
        """The media that are shown, all kinds."""
        return [thing.ready for kind in MEDIA_KINDS for thing in self.things.get(kind, ())]


@dataclass(frozen=True, slots=True)
class Batch:
    """A packed row: `ids`, `labels`, `positions` `[T]`, the samples' `lengths`, and `slots` in row coordinates.

    `Slot.which` counts the row's `things` of the slot's kind. `supervised` is the number of tokens with a label; `counts` has,
    by name, what losses are counted in: `text` in tokens, `produce_mask` and its like in things. `branches` are those at the
    end of each sample, empty where there are none in the row.
    """

    names: tuple[str, ...]
    ids: Tensor
    labels: Tensor
    positions: Tensor
    lengths: tuple[int, ...]
    slots: Slots
    things: Mapping[str, tuple[Thing, ...]]
    counts: Mapping[str, int]
    branches: tuple[tuple[Branch, ...], ...] = ()

    @property
    def supervised(self) -> int:
        """How many tokens carry a label."""
        return self.counts["text"]

    @property
    def media(self) -> list[Prepared]:
        """The media that are shown, all kinds."""
        return [thing.ready for kind in MEDIA_KINDS for thing in self.things.get(kind, ())]


def pack(examples: Sequence[Example]) -> Batch:
    """Lay examples behind each other. The first label of each example is dropped: nothing in the same sample predicts it."""
    ids: list[int] = []
    labels: list[int] = []
    positions: list[int] = []
    slots: Slots = {}
    things: dict[str, list[Thing]] = {}
    for example in examples:
        # Slots, and what a region lies on, count things from the row's beginning; in a sample they count from its own.
        before = {kind: len(those) for kind, those in things.items()}
        for kind, places in moved(example.rendered.slots, len(ids), before).items():
            slots.setdefault(kind, []).extend(places)
        for kind, those in renumbered(example.things, before).items():
            things.setdefault(kind, []).extend(those)
        ids += example.rendered.ids
        # In a row the first token does have a predecessor, the last one of a stranger.
        labels += [IGNORE, *example.rendered.labels[1:]]
        # Branches (TextBind) lie at the end of a sample but continue from its middle, so their positions go back: only the
        # trunk counts up.
        own = len(example.rendered) - sum(count for _, count in example.rendered.branches)
        positions += branched(own, example.rendered.branches)
    any_branch = any(example.rendered.branches for example in examples)
    # Losses of heads are divided by the artefacts of the whole step, so every row says how many it holds, also where its head
    # gives no loss.
    made = {kind: len(those) for kind, those in things.items() if kind.startswith(MADE)}
    return Batch(
        names=tuple(example.id for example in examples),
        ids=torch.tensor(ids),
        labels=torch.tensor(labels),
        positions=torch.tensor(positions),
        lengths=tuple(len(example.rendered) for example in examples),
        slots=slots,
        things={kind: tuple(those) for kind, those in things.items()},
        counts={"text": sum(example.rendered.supervised for example in examples), **made},
        # An empty tuple lets attention take the fast kernels; a tuple of empty tuples would have to be looked through in
        # every layer.
        branches=tuple(example.rendered.branches for example in examples) if any_branch else (),
    )


def moved(slots: Slots, start: int, before: Mapping[str, int]) -> Slots:
    """Slots of a row that stands at `start` of a longer one, behind `before` things of each kind."""
    return {
        kind: [Slot(slot.which + before.get(kind, 0), slot.start + start, slot.length) for slot in places]
        for kind, places in slots.items()
    }


def renumbered(things: Mapping[str, Sequence[Thing]], before: Mapping[str, int]) -> dict[str, list[Thing]]:
    """Things of a row that stands behind `before` things of each kind: what a region lies `on` counts these, too."""

    def shifted(thing: Thing) -> Thing:
        if thing.on is None:
            return thing
        kind, number = thing.on
        return replace(thing, on=(kind, number + before.get(kind, 0)))

    return {kind: [shifted(thing) for thing in those] for kind, those in things.items()}


def summed(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Counts added up by name."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)
