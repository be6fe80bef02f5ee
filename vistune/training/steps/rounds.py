"""One step on many processes: what all of them count together, and the same rounds of forward passes on each.

Cut weights are gathered by all processes at once, so all must run the same parts the same number of times:

    process 0   [ text, picture ] [ text          ]             [ text, picture ] [ text          ]
    process 1   [ text          ]                    becomes    [ text, FILLER  ] [ filler        ]

A filler is a short sample of which nothing is learned: beside others it has no labels (attention keeps samples apart), alone
its loss counts for nothing (its counts are 0). All its gradients are zero, but they are there. It shows a medium of each kind
that another process has in that round. Whole (replicated) weights need none of this.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from vistune.model.modalities.base import probe
from vistune.model.packing import Batch, moved, renumbered, summed
from vistune.model.trainable import AnyTrainable
from vistune.prompt.render import IGNORE
from vistune.sample import MediaKind, MediaRef, Sample, Text, Turn
from vistune.training.distributed import Ranks
from vistune.training.steps.work import Work


def counted(work: Iterator[Work[Any]], ranks: Ranks) -> Iterator[Work[Any]]:
    """Each step's own batches beside the counts of all processes. Raises on all of them the `InputError` of any."""
    while True:
        with ranks.together():
            mine = next(work, None)
        if mine is None:
            return
        shares = ranks.gather((mine.counts, mine.tokens, mine.samples, mine.dropped_turns, mine.dropped_media))
        counts, *numbers = zip(*shares, strict=True)
        tokens, samples, turns, media = map(sum, numbers)
        yield replace(mine, counts=summed(counts), tokens=tokens, samples=samples, dropped_turns=turns, dropped_media=media)


def evened(work: Iterator[Work[Batch]], ranks: Ranks, model: AnyTrainable) -> Iterator[Work[Batch]]:
    """The same rounds on each process, filled up where this one has fewer batches or lacks media of a kind."""
    fillers: dict[frozenset[MediaKind], Batch] = {}
    for mine in work:
        rounds = ranks.gather([frozenset(kind for kind in model.chains if batch.things.get(kind)) for batch in mine.batches])
        batches = []
        for number in range(max(map(len, rounds))):
            # What any rank shows in this round, all must encode, since encoders are gathered by all ranks together.
            shown = frozenset[MediaKind]().union(*(kinds[number] for kinds in rounds if number < len(kinds)))
            own = mine.batches[number] if number < len(mine.batches) else None
            lacking = shown if own is None else frozenset(kind for kind in shown if not own.things.get(kind))
            if own is not None and not lacking:
                batches.append(own)
                continue
            # Made once a set of kinds: a filler is the same each time, and preparing a film takes longer than a step.
            if lacking not in fillers:
                fillers[lacking] = filler(model, lacking)
            batches.append(fillers[lacking] if own is None else beside(own, fillers[lacking]))
        yield replace(mine, batches=tuple(batches))


def filler(model: AnyTrainable, kinds: frozenset[MediaKind]) -> Batch:
    """A short sample whose loss counts for nothing, with a medium of each of `kinds`."""
    media = tuple(probe(kind) for kind in sorted(kinds))
    question = Turn("user", (*(MediaRef(index) for index in range(len(media))), Text("What?")))
    sample = Sample("filler", media, (question, Turn("assistant", (Text("."),))))
    row: Batch = model.pack([model.example(sample, model.renderer_of(None))])
    return replace(row, counts={"text": 0})


def beside(batch: Batch, filler: Batch) -> Batch:
    """A row with the filler, its labels taken off, behind it."""
    before = {kind: len(things) for kind, things in batch.things.items()}
    slots = {kind: list(places) for kind, places in batch.slots.items()}
    for kind, places in moved(filler.slots, len(batch.ids), before).items():
        slots.setdefault(kind, []).extend(places)
    things = dict(batch.things)
    for kind, more in renumbered(filler.things, before).items():
        things[kind] = (*things.get(kind, ()), *more)
    return replace(
        batch,
        names=batch.names + filler.names,
        ids=torch.cat([batch.ids, filler.ids]),
        # Its tokens run through every layer, which is what the other ranks wait for, and are learnt from by nobody.
        labels=torch.cat([batch.labels, torch.full_like(filler.labels, IGNORE)]),
        positions=torch.cat([batch.positions, filler.positions]),
        lengths=batch.lengths + filler.lengths,
        slots=slots,
        things=things,
        # A row without branches keeps its empty tuple, which lets attention take the plain kernel.
        branches=batch.branches and (*batch.branches, *[()] * len(filler.lengths)),
    )
