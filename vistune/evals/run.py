"""Running a model over benchmarks: predictions that survive any stop, then scores.

A prediction is found again by a key, the hash of everything that decides it: the rendered prompt, the bytes of the media, the
model and the generation arguments. An answer under another key is never reused, and never overwritten.

    OUT/BENCH/predictions.jsonl    append-only
    OUT/BENCH/items.jsonl          every sample's score, beside what was asked, answered and expected
    OUT/BENCH/result.json          the numbers
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vistune.errors import InputError
from vistune.evals.prediction import Prediction, read_predictions
from vistune.evals.result import Result
from vistune.evals.score import open_benchmark, read_samples, score
from vistune.files import write_json, write_jsonl
from vistune.journal import Journal, read_journal
from vistune.progress import track
from vistune.sample import Media, Sample


class Answerer(Protocol):
    """A model as evaluation sees it."""

    @property
    def identity(self) -> str:
        """Name, version and weights: it differs whenever an answer could."""
        ...

    def rendered(self, sample: Sample) -> str:
        """The prompt in full, as the model reads it."""
        ...

    def generate(self, samples: Sequence[Sample], **arguments: Any) -> list[str]:
        """An answer each."""
        ...


def predict(
    model: Answerer, samples: Sequence[Sample], path: Path, arguments: Mapping[str, Any] | None = None, batch_size: int = 64
) -> list[Prediction]:
    """Answer every sample into the file `path`, or continue one, and return all answers in the samples' order.

    Questions about the same media are answered together. Each batch is on disk before the next begins. Raises `InputError` when
    the file holds an answer to one of the samples under another key: by another model, prompt, picture or other generation
    arguments.
    """
    arguments = dict(arguments or {})
    keys = {sample.id: prediction_key(model, sample, arguments) for sample in track(samples, "rendering", len(samples))}
    if len(keys) < len(samples):
        raise InputError("two samples have the same id: predictions are found by id, so each needs its own")
    done = {str(record.get("id")) for record in _checked(path, keys)}
    pending = together([sample for sample in samples if sample.id not in done])
    with Journal(path) as journal:
        batches = [pending[start : start + batch_size] for start in range(0, len(pending), batch_size)]
        for batch in track(batches, "answering", len(batches)):
            answers = model.generate(batch, **arguments)
            journal.append(
                *(
                    Prediction(
                        sample.id, answer, sample.prompt().turns[-1].text, {"key": keys[sample.id], "model": model.identity}
                    ).to_json()
                    for sample, answer in zip(batch, answers, strict=True)
                )
            )
    # From the file and not from memory, so that a run that was continued returns what one without a break would.
    found = {prediction.id: prediction for prediction in read_predictions(path)} if samples else {}
    return [found[sample.id] for sample in samples]


def together(samples: Sequence[Sample]) -> list[Sample]:
    """Samples about the same media one behind the other: a model may then read a picture once for all its questions."""
    groups: dict[tuple[tuple[str | None, int | None, int], ...], list[Sample]] = {}
    for sample in samples:
        media = tuple((medium.path, medium.offset, id(medium.data)) for medium in sample.media)
        # Media in memory are compared by identity: comparing pixels of every pair would cost more than is saved.
        groups.setdefault(media, []).append(sample)
    return [sample for group in groups.values() for sample in group]


def prediction_key(model: Answerer, sample: Sample, arguments: Mapping[str, Any]) -> str:
    """Hex SHA-256 over the rendered prompt, the media's bytes, the model and the generation arguments."""
    if not sample.turns:
        raise InputError(f"{sample.where} has no question to ask: is the benchmark's file of questions beside its annotations?")
    content = {
        "prompt": model.rendered(sample),
        "media": [media_digest(medium) for medium in sample.media],
        "model": model.identity,
        "arguments": arguments,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def media_digest(medium: Media) -> str:
    """Hex SHA-256 of a medium's bytes; of an array its type and shape count too."""
    if isinstance(medium.data, np.ndarray):
        head = f"{medium.kind} {medium.data.dtype} {medium.data.shape}".encode()
        return hashlib.sha256(head + np.ascontiguousarray(medium.data).tobytes()).hexdigest()
    return hashlib.sha256(medium.read_bytes()).hexdigest()


def _checked(path: Path, keys: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The predictions already there, each under the key it would get now."""
    for number, record in read_journal(path):
        where, extras = f"{path}: line {number}", record.get("extras", {})
        prediction = Prediction.from_json(record, where)
        if prediction.id in keys and extras.get("key") != keys[prediction.id]:
            raise InputError(
                f"{where}: sample {prediction.id!r} was answered by another model, prompt, picture or generation arguments:"
                " choose another --out, or move the file away"
            )
        yield record


def evaluate(
    model: Answerer,
    benchmarks: Mapping[str, str],
    out: Path,
    arguments: Mapping[str, Any] | None = None,
    batch_size: int = 64,
    limit: int | None = None,
    variants: Mapping[str, Mapping[str, Any]] | None = None,
    name: str | None = None,
    shots: Callable[[str, Sequence[Sample]], Sequence[Sample]] | None = None,
) -> dict[str, Result]:
    """Predict and score; `benchmarks` maps names to the place of their files. `limit` takes the first samples of each.

    `variants` are settings of a benchmark by its name (`{"pope": {"rule": "exact"}}`), `name` is what reports call the model.
    `shots` puts demonstrations before a benchmark's samples (`vistune.evals.shots`).

    Every benchmark is opened and read before the first prediction, so that a missing file is found at once. One that cannot be
    scored (its number is a judge's) does not keep the others from being answered and scored: its `InputError` comes at the end.
    """
    opened = {each: open_benchmark({"kind": each, **(variants or {}).get(each, {})}) for each in benchmarks}
    samples = {each: read_samples(bench, benchmarks[each])[:limit] for each, bench in opened.items()}
    results: dict[str, Result] = {}
    unscored = []
    for each, bench in opened.items():
        asked = samples[each] if shots is None else shots(each, samples[each])
        predictions = predict(model, asked, out / each / "predictions.jsonl", arguments, batch_size)
        try:
            results[each] = score(bench, predictions, samples[each])
        except InputError as error:
            unscored.append(f"{each} was answered ({out / each / 'predictions.jsonl'}) but not scored: {error}")
            continue
        write_result(out / each, each, name or model.identity, samples[each], predictions, results[each])
    if unscored:
        others = f"; the results of {', '.join(results)} are in {out}" if results else ""
        raise InputError("; ".join(unscored) + others)
    return results


def write_result(
    folder: Path, benchmark: str, model: str, samples: Sequence[Sample], predictions: Sequence[Prediction], result: Result
) -> None:
    """Keep a result where `vistune report` finds it: the numbers, and every sample beside its score."""
    answers = {prediction.id: prediction.answer for prediction in predictions}
    scores = result.items.tolist()
    write_jsonl(
        folder / "items.jsonl",
        (_item(sample, answers.get(sample.id), score) for sample, score in zip(samples, scores, strict=True)),
    )
    write_json(folder / "result.json", {"benchmark": benchmark, "model": model, **result.to_json()})


def _item(sample: Sample, answer: str | None, score: float) -> dict[str, Any]:
    return {
        "id": sample.id,
        "score": score,
        "prompt": sample.prompt().turns[-1].text,
        "answer": answer,
        "expected": list(sample.answers),
        "images": [medium.path for medium in sample.media if medium.kind == "image" and medium.path and medium.offset is None],
    }
