"""The work of each optimizer step: which samples, rendered and packed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vistune.data.order import sample_at
from vistune.data.packing import Batch, pack
from vistune.data.samples import Samples
from vistune.model.vlm import VisionLanguageModel
from vistune.prompt.template import Template
from vistune.recipe import Stage
from vistune.spec import build


@dataclass(frozen=True, slots=True)
class Work:
    """All of one step: its packed micro-batches and how many tokens they supervise together."""

    batches: tuple[Batch, ...]
    supervised: int
    tokens: int
    samples: int


def work_of_steps(
    model: VisionLanguageModel, samples: Samples, stage: Stage, seed: int, first: int, steps: int
) -> Iterator[Work]:
    """Prepare each step's work, in order, from step `first` on."""
    template: Template | None = None
    if stage.template is not None:
        template = build("vistune.prompt.templates", stage.template, tokenizer=model.llm.tokenizer)
    renderer = model.renderer(template)
    micro = stage.micro or stage.batch
    for step in range(first, steps):
        places = range(step * stage.batch, (step + 1) * stage.batch)
        examples = [model.example(samples[sample_at(place, len(samples), seed)], renderer) for place in places]
        batches = tuple(pack(examples[start : start + micro]) for start in range(0, len(examples), micro))
        yield Work(
            batches,
            supervised=sum(batch.supervised for batch in batches),
            tokens=sum(len(batch.ids) for batch in batches),
            samples=len(examples),
        )
