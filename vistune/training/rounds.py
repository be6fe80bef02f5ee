"""One step on many processes: what all of them count together, and the same rounds of forward passes on each.

Cut weights are gathered by all processes at once, so all must run the same parts the same number of times:

    process 0   [ text, picture ] [ text          ]             [ text, picture ] [ text          ]
    process 1   [ text          ]                    becomes    [ text, FILLER  ] [ filler        ]

A filler is a short sample of which nothing is learned: beside others it has no labels (attention keeps samples apart), alone
its loss counts for nothing (`supervised` is 0). All its gradients are zero, but they are there. It carries a picture where
another process has one in that round. Whole (replicated) weights need none of this.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from vistune.model.answering.opening import Model
from vistune.model.packing import Batch, pack
from vistune.model.vlm import VisionLanguageModel
from vistune.prompt.render import IGNORE, Slot
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.training.distributed import World
from vistune.training.work import Work


def counted(work: Iterator[Work], world: World) -> Iterator[Work]:
    """Each step's own batches beside the counts of all processes. Raises on all of them the `InputError` of any."""
    while True:
        with world.together():
            mine = next(work, None)
        if mine is None:
            return
        shares = world.gather((mine.supervised, mine.tokens, mine.samples))
        supervised, tokens, samples = (sum(counts) for counts in zip(*shares, strict=True))
        yield replace(mine, supervised=supervised, tokens=tokens, samples=samples)


def evened(work: Iterator[Work], world: World, model: Model) -> Iterator[Work]:
    """The same rounds on each process, filled up where this one has fewer batches or no picture."""
    assert isinstance(model, VisionLanguageModel), "only models made of parts are cut"
    fillers: dict[bool, Batch] = {}
    for mine in work:
        rounds = world.gather([bool(batch.media) for batch in mine.batches])
        batches = []
        for number in range(max(map(len, rounds))):
            pictures = any(shown[number] for shown in rounds if number < len(shown))
            if pictures not in fillers:
                fillers[pictures] = filler(model, pictures)
            if number >= len(mine.batches):
                batches.append(fillers[pictures])
            elif pictures and not mine.batches[number].media:
                batches.append(beside(mine.batches[number], fillers[pictures]))
            else:
                batches.append(mine.batches[number])
        yield replace(mine, batches=tuple(batches))


def filler(model: VisionLanguageModel, picture: bool) -> Batch:
    """A short sample whose loss counts for nothing, with a black picture or with none."""
    media = (Media("image", data=np.zeros((16, 16, 3), dtype=np.uint8)),) if picture else ()
    question = Turn("user", (*(MediaRef(index) for index in range(len(media))), Text("What?")))
    sample = Sample("filler", media, (question, Turn("assistant", (Text("."),))))
    return replace(pack([model.example(sample, model.renderer())]), supervised=0)


def beside(batch: Batch, filler: Batch) -> Batch:
    """A row with the filler, its labels taken off, behind it."""
    start, count = len(batch.ids), len(batch.media)
    slots = {kind: list(places) for kind, places in batch.slots.items()}
    for kind, places in filler.slots.items():
        moved = [Slot(place.which + count, place.start + start, place.length) for place in places]
        slots.setdefault(kind, []).extend(moved)
    return replace(
        batch,
        names=batch.names + filler.names,
        ids=torch.cat([batch.ids, filler.ids]),
        labels=torch.cat([batch.labels, torch.full_like(filler.labels, IGNORE)]),
        positions=torch.cat([batch.positions, filler.positions]),
        lengths=batch.lengths + filler.lengths,
        slots=slots,
        media=batch.media + filler.media,
        questions=batch.questions + filler.questions,
    )
