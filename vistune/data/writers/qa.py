"""Questions and answers as a JSON array, or JSON Lines for a path that ends in .jsonl."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vistune.data.held import Json, question_and_answer, refuse, relative_name, write_records
from vistune.errors import InputError
from vistune.sample import Sample

READ: dict[str, object] = {
    "kind": "qa", "id": "id", "image": "image?", "answer": "answer?", "answers": "answers?", "choices": "choices?",
}  # fmt: skip


def write(samples: Iterable[Sample], path: str, images: Path) -> int:
    """Write all samples and return how many. Raises `InputError` for what the format cannot hold."""
    return write_records(path, (record(sample, images) for sample in samples))


def record(sample: Sample, images: Path) -> Json:
    """One sample as `{id, image: [...], question, answer, answers, choices}`."""
    form = "qa"
    refuse(sample, form, regions=False, meta=False)
    if strange := [medium for medium in sample.media if medium.kind != "image"]:
        raise InputError(f"{sample.where}: {form} is written for images, not for {strange[0].kind}")
    question, answer = question_and_answer(sample, form)
    result: Json = {"id": sample.id, "question": question}
    if sample.media:
        result["image"] = [relative_name(medium, images, sample, form) for medium in sample.media]
    if answer is not None:
        result["answer"] = answer
    for key, values in (("answers", sample.answers), ("choices", sample.choices)):
        if values:
            result[key] = list(values)
    return result
