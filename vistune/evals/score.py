"""`score`: the official number of a benchmark from a predictions file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.evals.benchmark import Benchmark
from vistune.evals.prediction import Prediction, parse_predictions
from vistune.evals.result import Result
from vistune.evals.sources import load
from vistune.sample import Sample
from vistune.spec import build

BENCHMARKS = "vistune.evals.benchmarks"
OWN_FORM = '{"id", "answer"} a line'


@dataclass(frozen=True, slots=True)
class Answers:
    """Predictions and the form they were found in."""

    predictions: Sequence[Prediction]
    form: str


def score(
    benchmark: str | Mapping[str, Any] | Benchmark,
    predictions: str | Path | Sequence[Prediction],
    annotations: str | Path | Sequence[Sample],
) -> Result:
    """Score predictions on a benchmark.

    `benchmark`: a name, a spec (`{"kind": "vqa_v2", "rule": "official"}`) or the object itself. `predictions`: a file, ours
    or the benchmark's official result file, recognised by content; or the predictions. `annotations`: the annotation
    file, the folder of the official download, or the samples. Missing predictions count as wrong and are listed, as are
    predictions for samples that do not exist. Raises `InputError` naming file and record.
    """
    bench = open_benchmark(benchmark)
    samples = (
        annotations if isinstance(annotations, Sequence) and not isinstance(annotations, str) else bench.read(str(annotations))
    )
    found = (
        read_answers(bench, predictions)
        if isinstance(predictions, str | Path)
        else Answers(predictions, "predictions in memory")
    )
    return score_samples(bench, samples, found)


def open_benchmark(benchmark: str | Mapping[str, Any] | Benchmark) -> Benchmark:
    """The benchmark a name or spec asks for; an object is returned as it is."""
    if not isinstance(benchmark, str | Mapping):
        return benchmark
    opened: Benchmark = build(BENCHMARKS, benchmark)
    return opened


def read_answers(bench: Benchmark, path: str | Path) -> Answers:
    """Predictions from our JSONL or the official result format. Raises `InputError` when the content is neither."""
    content = load(path)
    records = content.value if content.form == "jsonl" else [content.value]
    if isinstance(records[0], dict) and {"id", "answer"} <= records[0].keys():
        return Answers(parse_predictions((content.record(index), record) for index, record in enumerate(records)), OWN_FORM)
    official = bench.recognise(content)
    if official is None:
        expected = f"nor the result format of {type(bench).__name__} ({bench.result_form})"
        raise InputError(f"{path}: is neither our predictions ({OWN_FORM}) {expected}")
    return Answers(official, f"official results, {bench.result_form}")


def score_samples(bench: Benchmark, samples: Sequence[Sample], found: Answers) -> Result:
    """Bring predictions into the samples' order and score them."""
    known = _index([sample.id for sample in samples], "the annotations hold sample")
    given = _index([prediction.id for prediction in found.predictions], "the predictions hold id")
    if samples and not known.keys() & given.keys() and given:
        raise InputError(
            f"no prediction belongs to any sample: predictions are for ids like {next(iter(given))!r}, samples have ids like"
            f" {next(iter(known))!r}"
        )
    aligned = [found.predictions[given[sample.id]] if sample.id in given else None for sample in samples]
    result = bench.score(samples, aligned)
    if result.n != len(samples):
        raise InputError(
            f"{type(bench).__name__} scored {result.n} items of {len(samples)} samples; a benchmark scores every sample once"
        )
    return replace(
        result,
        ids=tuple(known),
        missing=len(known.keys() - given.keys()),
        missing_ids=tuple(identifier for identifier in known if identifier not in given),
        extra_ids=tuple(identifier for identifier in given if identifier not in known),
        notes=(*result.notes, f"predictions read as {found.form}"),
    )


def _index(identifiers: Sequence[str], what: str) -> dict[str, int]:
    index: dict[str, int] = {}
    for number, identifier in enumerate(identifiers):
        if identifier in index:
            raise InputError(f"{what} {identifier!r} twice (number {index[identifier] + 1} and {number + 1}); keep one")
        index[identifier] = number
    return index
