"""`score`: the official number of a benchmark from a predictions file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.evals.benchmark import Benchmark
from vistune.evals.prediction import FIELDS, Prediction, parse_predictions
from vistune.evals.reading.sources import load
from vistune.evals.result import Result, over_runs
from vistune.evals.same_questions import refuse_other_questions
from vistune.hub import local_folder
from vistune.sample import Sample
from vistune.spec import build, split
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
    *,
    partial: bool = False,
) -> Result:
    """Score predictions on a benchmark.

    `benchmark`: a name, a spec (`{"kind": "vqa_v2", "rule": "official"}`) or the object itself. `predictions`: a file, ours
    or the benchmark's official result file, recognised by content; or the predictions. `annotations`: the annotation
    file, the folder of the official download, or the samples. Missing predictions count as wrong and are listed, as are
    predictions for samples that do not exist; when those are the most, the files do not belong together and are refused,
    unless `partial` says that the samples are meant to be a part. `trust` names packages whose benchmarks may be asked for.
    Raises `InputError` naming file and record.
    """
    with trusting(trust):
        bench = open_benchmark(benchmark)
    samples = (
        annotations
        if isinstance(annotations, Sequence) and not isinstance(annotations, str)
        else read_samples(bench, str(annotations))
    )
    found = (
        read_answers(bench, predictions, samples)
        if isinstance(predictions, str | Path)
        else Answers(predictions, "predictions in memory")
    )
    return score_samples(bench, samples, found, partial=partial)


def score_judgements(
    benchmark: str | Mapping[str, Any],
    judgements: Sequence[str | Path],
    annotations: str | Path,
    predictions: str | Path | None = None,
    *,
    partial: bool = False,
) -> Result:
    """Score what judges said: official review or grade files, or replies that `vistune judge` kept (about `predictions`).

    Several files are several runs: the values are means over them, and `deviation` is the headline's (of the population).
    Raises `InputError` for a file that holds no judgements, and for replies without the predictions they are about.
    """
    kind, options = split(benchmark)
    bench = open_benchmark(benchmark)
    samples = read_samples(bench, str(annotations))
    results = []
    for path in judgements:
        found = _official_judgements(bench, path, samples)
        if found is None:
            if predictions is None:
                raise InputError(
                    f"{path}: is no official file of judgements; for replies of `vistune judge` name the predictions, too"
                )
            asked = open_benchmark({"kind": kind, **options, "judgements": str(path)})
            results.append(score_samples(asked, samples, read_answers(asked, predictions, samples), partial=partial))
        else:
            results.append(score_samples(bench, samples, found, partial=partial))
    return over_runs(results)


def _official_judgements(bench: Benchmark, path: str | Path, samples: Sequence[Sample]) -> Answers | None:
    found = bench.recognise(load(path), samples)
    if not found or "judgement" not in found[0].extras:
        return None
    return Answers(found, f"official judgements, {path}")


def read_samples(bench: Benchmark, source: str) -> list[Sample]:
    """A benchmark's samples from its file, its folder, or `hub:owner/name`. Raises `InputError` where there are none."""
    samples = bench.read(local_folder(source, "dataset"))
    if not samples:
        raise InputError(f"{source}: holds no samples for {type(bench).__name__} with these settings")
    return samples


def open_benchmark(benchmark: str | Mapping[str, Any] | Benchmark) -> Benchmark:
    """The benchmark a name or spec asks for; an object is returned as it is."""
    if not isinstance(benchmark, str | Mapping):
        return benchmark
    opened: Benchmark = build(BENCHMARKS, benchmark, Benchmark)
    return opened


def read_answers(bench: Benchmark, path: str | Path, samples: Sequence[Sample]) -> Answers:
    """Predictions from our JSONL or an official result format. Raises `InputError` when the content is neither."""
    content = load(path)
    records = content.value if content.form == "jsonl" else [content.value]
    first = records[0].keys() if isinstance(records[0], dict) else frozenset[str]()
    # Official lines may have an `id` and, with another meaning, an `answer`: ours have no other keys than ours.
    if {"id", "answer"} <= first <= FIELDS:
        return Answers(parse_predictions((content.record(index), record) for index, record in enumerate(records)), OWN_FORM)
    official = bench.recognise(content, samples)
    if official is None:
        if {"id", "answer"} <= first:
            Prediction.from_json(records[0], content.record(0))  # says which of its fields is not ours
        expected = f"nor the result format of {type(bench).__name__} ({bench.result_form})"
        raise InputError(f"{path}: is neither our predictions ({OWN_FORM}) {expected}")
    return Answers(official, f"official results, {bench.result_form}")


def score_samples(bench: Benchmark, samples: Sequence[Sample], found: Answers, *, partial: bool = False) -> Result:
    """Bring predictions into the samples' order and score them."""
    matched = _matched(samples, found.predictions, partial=partial)
    refuse_other_questions(samples, matched.in_order)
    result = bench.score(samples, matched.in_order)
    if result.n != len(samples):
        raise ValueError(f"{type(bench).__name__} scored {result.n} items of {len(samples)} samples, not each sample once")
    notes = [*result.notes, f"predictions read as {found.form}"]
    if matched.repeated:
        notes.append(f"{matched.repeated} predictions given again with the same answer, counted once")
    ids = tuple(sample.id for sample in samples)
    missing = tuple(name for name, prediction in zip(ids, matched.in_order, strict=True) if prediction is None)
    return replace(result, ids=ids, missing=len(missing), missing_ids=missing, extra_ids=matched.extra, notes=tuple(notes))


def in_order(samples: Sequence[Sample], predictions: Sequence[Prediction]) -> list[Prediction | None]:
    """Each sample's prediction, `None` where it is missing. Raises `InputError` as `score` does when the ids do not agree."""
    return _matched(samples, predictions).in_order


@dataclass(frozen=True, slots=True)
class _Matched:
    """`in_order`: each sample's prediction; `repeated`: how many only repeat another; `extra`: ids that no sample has."""

    in_order: list[Prediction | None]
    repeated: int
    extra: tuple[str, ...]


def _matched(samples: Sequence[Sample], predictions: Sequence[Prediction], *, partial: bool = False) -> _Matched:
    """Predictions brought to samples by id.

    Several samples may be answered under one id (`meta["answered_as"]`, where the official annotations give one twice): one
    answer is then all theirs, as many answers as samples belong to them in order.
    """
    places = _places(samples)
    given: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        given.setdefault(prediction.id, []).append(prediction)
    extra = tuple(identifier for identifier in given if identifier not in places)
    if places and given and len(extra) > (len(given) - 1 if partial else len(given) // 2):
        raise InputError(_strangers(given, places, extra))
    in_order: list[Prediction | None] = [None] * len(samples)
    repeated = 0
    for identifier, numbers in places.items():
        answers = given.get(identifier, [])
        if len(answers) != len(numbers) or len(numbers) == 1:
            repeated += max(0, len(answers) - 1)
            answers = _one(answers) * len(numbers)
        for number, prediction in zip(numbers, answers, strict=False):
            in_order[number] = prediction
    return _Matched(in_order, repeated, extra)


def _strangers(given: Mapping[str, object], places: Mapping[str, object], extra: Sequence[str]) -> str:
    shown = f"are for ids like {extra[0]!r}, samples have ids like {next(iter(places))!r}"
    if len(extra) == len(given):
        return f"no prediction belongs to any sample: predictions {shown}"
    return (
        f"{len(extra)} of {len(given)} predictions belong to no sample: they {shown}; if the samples are meant to be a part of"
        " those answered, say --partial"
    )


def _places(samples: Sequence[Sample]) -> dict[str, list[int]]:
    """The id that each sample is answered under -> the samples' numbers. Raises `InputError` for two samples of one id."""
    seen: dict[str, str] = {}
    places: dict[str, list[int]] = {}
    for number, sample in enumerate(samples):
        place = sample.origin or f"number {number + 1}"
        if sample.id in seen:
            raise InputError(f"the annotations hold sample {sample.id!r} twice ({seen[sample.id]} and {place})")
        seen[sample.id] = place
        places.setdefault(str(sample.meta.get("answered_as", sample.id)), []).append(number)
    return places


def _one(predictions: Sequence[Prediction]) -> list[Prediction]:
    """The one answer that all give, none of none. Raises `InputError` when two answer differently."""
    for prediction in predictions[1:]:
        if prediction.answer != predictions[0].answer:
            raise InputError(
                f"the predictions hold two different answers to {prediction.id!r} ({_short(predictions[0].answer)} and"
                f" {_short(prediction.answer)}); keep one"
            )
    return list(predictions[:1])


def _short(answer: str) -> str:
    return repr(answer if len(answer) <= 40 else answer[:37] + "...")
