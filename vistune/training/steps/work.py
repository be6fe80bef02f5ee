"""The work of each optimizer step: which samples, rendered and packed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from vistune.data.order.epochs import sample_at
from vistune.data.samples import Samples
from vistune.errors import InputError
from vistune.model.packing import summed
from vistune.model.packing_budget import rows
from vistune.model.trainable import AnyTrainable, Batch
from vistune.recipe import Stage
from vistune.sample import MediaRef, Produce, Sample
from vistune.training.distributed import ALONE, Ranks
from vistune.training.steps.shares import Shares


@dataclass(frozen=True, slots=True)
class Work(Generic[Batch]):
    """All of one step: its packed micro-batches, as the model packs them, and what its losses are counted in, by name.

    `dropped_turns` and their `dropped_media` were left out of samples that are longer than the model takes.
    """

    batches: tuple[Batch, ...]
    counts: Mapping[str, int]
    tokens: int
    samples: int
    dropped_turns: int = 0
    dropped_media: int = 0

    @property
    def supervised(self) -> int:
        """How many tokens carry a label."""
        return self.counts["text"]


def work_of_steps(
    model: AnyTrainable,
    samples: Samples,
    stage: Stage,
    seed: int,
    first: int,
    steps: int,
    ranks: Ranks = ALONE,
    shares: Shares | None = None,
) -> Iterator[Work[Any]]:
    """Prepare this process's part of each step's work, in order, from step `first` on: neighbours, or its `shares`."""
    renderer = model.renderer_of(stage.template)
    for step in range(first, steps):
        neighbours = [step * stage.batch + place for place in ranks.part(stage.batch)]
        dealt = [neighbours] if shares is None else shares.rows(step)
        places = [place for row in dealt for place in row]
        chosen = [samples[sample_at(place, len(samples), seed)] for place in places]
        examples = [_example(model, sample, renderer) for sample in chosen]
        cut = [_dropped(sample, example.rendered.dropped_turns) for sample, example in zip(chosen, examples, strict=True)]
        made = dict(zip(places, examples, strict=True))
        # With shares the rows were decided from headers beforehand, on all ranks alike; without, each rank packs its own
        # neighbours.
        filled = _rows(examples, stage) if shares is None else [[made[place] for place in row] for row in dealt]
        batches = tuple(model.pack(row) for row in filled)
        yield Work(
            batches,
            counts=summed([batch.counts for batch in batches]),
            tokens=sum(len(batch.ids) for batch in batches),
            samples=len(examples),
            dropped_turns=sum(turns for turns, _ in cut),
            dropped_media=sum(media for _, media in cut),
        )


def _example(model: AnyTrainable, sample: Sample, renderer: object) -> Any:
    try:
        return model.example(sample, renderer)
    # Already a sentence that names the sample; anything else is a fault of ours and keeps its traceback, with the sample's
    # name.
    except InputError:
        raise
    except Exception as error:
        raise RuntimeError(f"{sample.where} could not be prepared: {type(error).__name__}: {error}") from error


def _dropped(sample: Sample, turns: int) -> tuple[int, int]:
    """The turns that were dropped from the sample's end, and the media that they show or make."""
    parts = (part for turn in sample.turns[len(sample.turns) - turns :] for part in turn.parts)
    return turns, sum(isinstance(part, MediaRef | Produce) for part in parts)


def _rows(examples: Sequence[Any], stage: Stage) -> list[list[Any]]:
    """The step's examples by the row they are packed into: a number of samples, or as many as the budget takes."""
    if stage.max_tokens is not None or stage.max_images is not None:
        return rows(examples, stage.max_tokens, stage.max_images)
    return [list(examples[start : start + stage.row]) for start in range(0, len(examples), stage.row)]
