"""`score`: the official number of a benchmark from a predictions file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.evals.benchmark import Benchmark
from vistune.evals.hub import local_folder
from vistune.evals.prediction import Prediction, parse_predictions
from vistune.evals.result import Result
from vistune.evals.sources import load
from vistune.sample import Sample
from vistune.spec import build
from vistune.trust import trusting

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
    trust: Sequence[str] = (),
) -> Result:
    """Score predictions on a benchmark.

    `benchmark`: a name, a spec (`{"kind": "vqa_v2", "rule": "official"}`) or the object itself. `predictions`: a file, ours
    or the benchmark's official result file, recognised by content; or the predictions. `annotations`: the annotation
    file, the folder of the official download, or the samples. Missing predictions count as wrong and are listed, as are
    predictions for samples that do not exist. `trust` names packages whose benchmarks may be asked for. Raises `InputError`
    naming file and record.
    """
    with trusting(trust):
        bench = open_benchmark(benchmark)
    samples = (
        annotations
        if isinstance(annotations, Sequence) and not isinstance(annotations, str)
        else read_samples(bench, str(annotations))
    )
    found = (
        read_answers(bench, predictions)
        if isinstance(predictions, str | Path)
        else Answers(predictions, "predictions in memory")
    )
    return score_samples(bench, samples, found)


def read_samples(bench: Benchmark, source: str) -> list[Sample]:
    """A benchmark's samples from its file, its folder, or `hub:owner/name`."""
    return bench.read(local_folder(source))


def open_benchmark(benchmark: str | Mapping[str, Any] | Benchmark) -> Benchmark:
    """The benchmark a name or spec asks for; an object is returned as it is."""
    if not isinstance(benchmark, str | Mapping):
        return benchmark
    opened: Benchmark = build(BENCHMARKS, benchmark, Benchmark)
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
    known, given, repeated = _matched(samples, found.predictions)
    result = bench.score(samples, [given.get(sample.id) for sample in samples])
    if result.n != len(samples):
        raise ValueError(f"{type(bench).__name__} scored {result.n} items of {len(samples)} samples, not each sample once")
    notes = [*result.notes, f"predictions read as {found.form}"]
    if repeated:
        notes.append(f"{repeated} predictions given again with the same answer, counted once")
    missing = tuple(identifier for identifier in known if identifier not in given)
    extra = tuple(identifier for identifier in given if identifier not in known)
    return replace(result, ids=tuple(known), missing=len(missing), missing_ids=missing, extra_ids=extra, notes=tuple(notes))


def in_order(samples: Sequence[Sample], predictions: Sequence[Prediction]) -> list[Prediction | None]:
    """Each sample's prediction, `None` where it is missing. Raises `InputError` as `score` does when the ids do not agree."""
    _, given, _ = _matched(samples, predictions)
    return [given.get(sample.id) for sample in samples]


def _matched(samples: Sequence[Sample], predictions: Sequence[Prediction]) -> tuple[dict[str, str], dict[str, Prediction], int]:
    """Samples' places and predictions by id, and how many predictions only repeat another."""
    known = _unique_ids(samples)
    given, repeated = _by_id(predictions)
    if known and given and not known.keys() & given.keys():
        raise InputError(
            f"no prediction belongs to any sample: predictions are for ids like {next(iter(given))!r}, samples have ids like"
            f" {next(iter(known))!r}"
        )
    return known, given, repeated


def _unique_ids(samples: Sequence[Sample]) -> dict[str, str]:
    """The samples' ids in order -> where each stands. Raises `InputError` for an id that comes twice."""
    known: dict[str, str] = {}
    for number, sample in enumerate(samples, 1):
        place = sample.origin or f"number {number}"
        if sample.id in known:
            raise InputError(f"the annotations hold sample {sample.id!r} twice ({known[sample.id]} and {place})")
        known[sample.id] = place
    return known


def _by_id(predictions: Sequence[Prediction]) -> tuple[dict[str, Prediction], int]:
    """Predictions by id, and how many only repeat another. Raises `InputError` when two answer differently."""
    given: dict[str, Prediction] = {}
    for prediction in predictions:
        first = given.setdefault(prediction.id, prediction)
        if first != prediction:
            raise InputError(f"the predictions hold two different answers to {prediction.id!r}; keep one")
    return given, len(predictions) - len(given)
