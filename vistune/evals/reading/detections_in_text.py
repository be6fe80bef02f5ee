"""Detections that a model writes as text: `red bus: [0.1, 0.2, 0.5, 0.9]`, as many as it likes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vistune.errors import InputError
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import whole_of
from vistune.sample import Sample

# A point may lead (.5) and an exponent follow (5e-1); '0.1.0.2' stays two numbers.
NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|(?<!\d)\.\d+)(?:[eE][-+]?\d+)?")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


def given_detections(prediction: Prediction) -> list[dict[str, Any]] | None:
    """The extra `detections`, `None` without it. Raises `InputError` when it is no list of objects."""
    if "detections" not in prediction.extras:
        return None
    found = prediction.extras["detections"]
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise InputError(
            f"prediction {prediction.id!r}: the extra 'detections' holds {str(found)[:60]!r}, expected a list of result records"
        )
    return found


def detections_on(sample: Sample, answer: str, categories: Mapping[str, int], scale: float) -> list[dict[str, Any]]:
    """`read_detections` for a sample whose image record gives its size in pixels."""
    image = sample.meta["image"]
    size = (whole_of(image, "width", sample.where), whole_of(image, "height", sample.where))
    return read_detections(answer, categories, size, scale)


def read_detections(
    answer: str, categories: Mapping[str, int], size: tuple[float, float], scale: float = 1.0
) -> list[dict[str, Any]]:
    """COCO result records of the categories named and boxed in an answer; coordinates are xyxy and run from 0 to `scale`.

    `size` is the image's width and height in pixels. What is written first scores highest. Names are compared without case,
    underscores and parentheses; an unknown name, or a box of other than four numbers in order, gives no record.
    """
    known = {_plain(name): identifier for name, identifier in categories.items()}
    found: list[dict[str, Any]] = []
    end = 0
    for brackets in _BRACKETS.finditer(answer):
        before, end = answer[end : brackets.start()], brackets.end()
        name = re.split(r"[\n;]", before)[-1]  # the line's end, or what follows the last detection on it
        box = [float(number) / scale for number in NUMBER.findall(brackets[1])]
        if _plain(name) in known and len(box) == 4 and box[0] <= box[2] and box[1] <= box[3]:
            corner, extent = (box[0] * size[0], box[1] * size[1]), ((box[2] - box[0]) * size[0], (box[3] - box[1]) * size[1])
            # Text has no scores, but AP ranks by them: the order of writing stands in, the surest thing first.
            score = 1.0 / (1 + len(found))
            found.append({"category_id": known[_plain(name)], "bbox": [*corner, *extent], "score": score})
    return found


def notes_on(predictions: Sequence[Prediction | None], scale: float) -> tuple[str, ...]:
    """`scale_notes` of the boxes that predictions write in brackets."""
    written = [inner for each in predictions if each is not None for inner in _BRACKETS.findall(each.answer)]
    boxes = [[float(text) for text in NUMBER.findall(inner)] for inner in written]
    return scale_notes([box for box in boxes if len(box) == 4], scale)


def scale_notes(boxes: Sequence[Sequence[float]], scale: float) -> tuple[str, ...]:
    """A note where boxes, as answers count them, can hardly run from 0 to `scale`: a forgotten scale scores as a bad model.

    Most of them reach beyond it, by more than rounding and a careless corner, or none reaches a hundredth of it.
    """
    beyond = sum(max(box) > 1.5 * scale for box in boxes)
    if 2 * beyond > len(boxes):
        return (
            f"{beyond} of {len(boxes)} boxes reach beyond scale {scale:g}: is it another, as 100 or 1000 (--set scale=1000)?",
        )
    if boxes and scale >= 100 and all(max(box) <= scale / 100 for box in boxes):
        return (f"no box reaches a hundredth of scale {scale:g}: do answers count from 0 to 1 (--set scale=1)?",)
    return ()


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[_()\-,.*:]+", " ", name.lower()).split())
