"""One measurement: the loss of held-out samples, their answers, and what a rule makes of them.

Nothing of it reaches the run: no gradient, no dropout, the random state put back, no feature kept. Samples go through in
batches that do not depend on the number of processes, each of which takes some of them: one and many give the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.evals.prediction import Prediction
from vistune.evals.score import Answers, open_benchmark, read_samples, score_samples
from vistune.model.answering.opening import Model
from vistune.recipe import Stage
from vistune.sample import Sample
from vistune.training.distributed import Ranks
from vistune.training.measuring.settings import LOSS, Evaluation
from vistune.training.steps.losses import loss_weights
from vistune.training.steps.precision import Precision, autocast, resolve


@dataclass(frozen=True, slots=True)
class Measured:
    """Numbers by name, the answers that were given (none where only the loss is measured), and which numbers are to be low."""

    values: dict[str, float]
    answers: list[str]
    low: list[str]


class Measurement:
    """An `Evaluation` whose samples are read and whose rule is open."""

    def __init__(self, told: Evaluation, stage: Stage) -> None:
        self.told, self.stage = told, stage
        where = f"stage {stage.name!r}: evaluate {told.name}"
        if told.benchmark is not None:
            self.benches: list[Any] = [open_benchmark(told.benchmark)]
            self.samples = read_samples(self.benches[0], told.data)[: told.size]
        else:
            self.benches = [open_benchmark({"kind": "short_answers", "metric": metric}) for metric in told.answers]
            found = read(told.data)
            self.samples = [found[index] for index in range(len(found))[: told.size]]
        if not self.samples:
            raise InputError(f"{where}: {told.data} has no samples")
        if self.benches and told.benchmark is None:
            self.samples = [_with_answers(sample, where) for sample in self.samples]
        names = [sample.id for sample in self.samples]
        if len(set(names)) < len(names):
            raise InputError(f"{where}: two samples of {told.data} have the same id, which answers are found by")

    def measure(self, model: Model, precision: Precision, ranks: Ranks) -> Measured:
        """Measure `model` as it is now. Of several processes each calls it, and each gets all numbers."""
        values: dict[str, float] = {}
        answers: list[str] = []
        low = [LOSS]
        with untouched(model), torch.no_grad(), autocast(resolve(precision, model.device), model.device):
            if LOSS in self.told.metrics:
                values[LOSS] = self._loss(model, ranks)
            if self.benches:
                answers = self._answers(model, ranks)
        for place, bench in enumerate(self.benches):
            predictions = [Prediction(sample.id, answer) for sample, answer in zip(self.samples, answers, strict=True)]
            result = score_samples(bench, self.samples, Answers(predictions, "answers of this run"))
            name = self.told.answers[place] if self.told.benchmark is None else result.name
            values[name] = float(result.headline)
            low += [name] if result.details.get("lower_is_better") else []
        return Measured(values, answers, [name for name in low if name in values])

    def _loss(self, model: Model, ranks: Ranks) -> float:
        renderer: Any = model.renderer_of(self.stage.template)
        weights = {"text": 1.0} if self.stage.preference is not None else loss_weights(model, self.stage)
        parts: dict[int, tuple[float, int]] = {}
        for number, samples in self._mine(ranks):
            taught = [sample for sample in samples if any(turn.role == "assistant" for turn in sample.turns)]
            if taught:
                examples: list[Any] = [model.example(sample, renderer) for sample in taught]
                batch: Any = model.pack(examples)
                losses = model(batch)
                counted = batch.counts["text"]
                # Losses of heads are means over their artefacts; times the row's tokens they can be averaged with the text's
                # over rows.
                total = sum(weights[name] * each.sum.item() * counted / batch.counts[each.of] for name, each in losses.items())
                parts[number] = (total, counted)
        every = {number: part for each in ranks.gather(parts) for number, part in each.items()}
        tokens = sum(count for _, count in every.values())
        if not tokens:
            raise InputError(
                f"stage {self.stage.name!r}: evaluate {self.told.name}: no sample of {self.told.data} has an answer"
            )
        # Summed in the order of the batches, whoever computed them: floats added in another order give other last digits.
        return sum(every[number][0] for number in sorted(every)) / tokens

    def _answers(self, model: Model, ranks: Ranks) -> list[str]:
        parts: dict[int, list[str]] = {}
        for number, samples in self._mine(ranks):
            parts[number] = model.generate(samples, self.told.max_new_tokens, batch_size=len(samples))
        every = {number: part for each in ranks.gather(parts) for number, part in each.items()}
        return [answer for number in sorted(every) for answer in every[number]]

    def _mine(self, ranks: Ranks) -> Iterator[tuple[int, Sequence[Sample]]]:
        """This process's batches by their number; where weights are cut, all processes take all, and gather them together."""
        starts = list(enumerate(range(0, len(self.samples), self.told.batch)))
        for number, start in starts if ranks.sharded else starts[ranks.rank :: ranks.size]:
            yield number, self.samples[start : start + self.told.batch]


@contextmanager
def untouched(model: Model) -> Iterator[None]:
    """The model without its dropout and its caches of features; afterwards all is as it was, the random state included."""
    was, chains = model.training, list(model.chains.values())
    caches = [chain.cache for chain in chains]
    # A measurement between two steps must not change the dropout of the step behind it.
    state = torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    model.eval()
    for chain in chains:
        chain.cache = None
    try:
        yield
    finally:
        for chain, cache in zip(chains, caches, strict=True):
            chain.cache = cache
        model.train(was)
        torch.set_rng_state(state)
        if devices:
            torch.cuda.set_rng_state_all(devices)


def _with_answers(sample: Sample, where: str) -> Sample:
    """The sample with accepted answers: its own, else the text of its last answer."""
    if sample.answers:
        return sample
    if not sample.turns or sample.turns[-1].role != "assistant":
        raise InputError(f"{where}: {sample.where} has no accepted answer, which its metrics compare with")
    return replace(sample, answers=(sample.turns[-1].text.strip(),))
