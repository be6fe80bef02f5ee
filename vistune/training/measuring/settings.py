"""What a stage says of measuring: `evaluate: [{data: SPEC, every: 200}]`, `keep`, `best`, `patience`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vistune.errors import InputError, nearest
from vistune.recipe import Stage
from vistune.spec import Spec, check_arguments, split

LOSS = "loss"


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One thing that is measured.

    data:            held-out samples, a data spec; with a benchmark, its place: the folder or file of its annotations
    name:            what the log calls it (its place in the list, without one)
    every:           steps between measurements; the first is before step one, the last behind the last step
    size:            only so many of the samples, the first ones
    benchmark:       a benchmark by name or spec, whose own samples `data` holds and whose rule scores the answers
    metrics:         `loss` (cross-entropy a supervised token) and metrics of answers: exact_match, vqa_accuracy, anls,
                     relaxed_accuracy, cider; none of them beside a benchmark
    max_new_tokens:  of an answer
    batch:           samples that are answered at once; part of what decides the numbers to the last bit
    gallery:         how many samples are shown with their answers, measurement by measurement
    """

    data: str
    name: str = ""
    every: int = 200
    size: int | None = 200
    benchmark: Spec | None = None
    metrics: Sequence[str] = (LOSS,)
    max_new_tokens: int = 32
    batch: int = 8
    gallery: int = 8

    @property
    def answers(self) -> list[str]:
        """The metrics that need answers."""
        return [metric for metric in self.metrics if metric != LOSS]

    def due(self, step: int, steps: int) -> bool:
        """Is it measured behind this step (0: before the first)?"""
        return step % self.every == 0 or step == steps


def evaluations_of(stage: Stage) -> list[Evaluation]:
    """The stage's measurements, checked. Raises `InputError` for keys and values that make no sense."""
    from vistune.evals.benchmarks.short_answers import METRICS

    made: list[Evaluation] = []
    for number, given in enumerate(stage.evaluate):
        where = f"stage {stage.name!r}: evaluate.{number}"
        check_arguments(Evaluation, given, where)
        one = Evaluation(**{"name": str(number), **given})
        for key in ("every", "size", "max_new_tokens", "batch"):
            value = getattr(one, key)
            if value is not None and value < 1:
                raise InputError(f"{where}.{key} is {value}, expected at least 1")
        known = [LOSS, *METRICS]
        for metric in one.metrics:
            if metric not in known:
                raise InputError(f"{where}.metrics has no {metric!r}{nearest(metric, known)}")
        if one.benchmark is not None and one.answers:
            raise InputError(f"{where}: the benchmark {split(one.benchmark)[0]!r} scores by its own rule: leave metrics away")
        if any(one.name == other.name for other in made):
            raise InputError(f"{where}: two measurements have the name {one.name!r}")
        made.append(one)
    if not made and (stage.best is not None or stage.patience is not None or stage.keep == "best"):
        raise InputError(f"stage {stage.name!r}: keep, best and patience go by what evaluate measures: give it something")
    if made and stage.best is not None:
        name, _, metric = stage.best.rpartition(".")
        chosen = next((one for one in made if one.name == name), None)
        if chosen is None:
            hint = nearest(name, [one.name for one in made])
            raise InputError(f"stage {stage.name!r}: best is {stage.best!r}, expected NAME.METRIC{hint}")
        if chosen.benchmark is None and metric not in chosen.metrics:
            raise InputError(f"stage {stage.name!r}: best is {stage.best!r}, but {name} measures {', '.join(chosen.metrics)}")
    return made
