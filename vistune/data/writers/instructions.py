"""Instruction, output and images: a JSON array, or JSON Lines for a path that ends in .jsonl."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vistune.data.held import Json, question_and_answer, refuse, relative_name, write_records
from vistune.errors import InputError
from vistune.sample import Sample

READ: dict[str, object] = {"kind": "instructions", "id": "id"}


def write(samples: Iterable[Sample], path: str, images: Path) -> int:
    """Write all samples and return how many. Raises `InputError` for what the format cannot hold."""
    return write_records(path, (record(sample, images) for sample in samples))


def record(sample: Sample, images: Path) -> Json:
    """One sample as `{id, image: [...], instruction, input: "", output}`."""
    form = "instructions"
    refuse(sample, form, regions=False, choices=False, meta=False)
    if any(medium.kind != "image" for medium in sample.media):
        raise InputError(f"{sample.where}: {form} are written for images only")
    question, answer = question_and_answer(sample, form)
    if answer is None or not question or sample.answers != (answer,):
        raise InputError(f"{sample.where}: {form} need a question and one answer, which is the only accepted one")
    result: Json = {"id": sample.id, "instruction": question, "input": "", "output": answer}
    if sample.media:
        result["image"] = [relative_name(medium, images, sample, form) for medium in sample.media]
    return result
