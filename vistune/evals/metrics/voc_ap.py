"""PASCAL VOC's average precision of boxes (Everingham et al., IJCV 2010), as the development kit computes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vistune.evals.metrics.box_iou import Box, box_iou
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Floats, Result

THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Detection:
    """One box of a class, xyxy in pixels that count from 1 and include the last; `difficult` marks references to pass over."""

    name: str
    box: Box
    score: float = 1.0
    difficult: bool = False


def voc_ap(
    detections: Sequence[Sequence[Detection] | None],
    references: Sequence[Sequence[Detection]],
    classes: Sequence[str],
    interpolation: Literal["11-point", "all-points"] = "11-point",
) -> Result:
    """mAP in percent over the classes that occur, then each class's AP.

    A detection is right when it overlaps its class's best box of the image by at least one half and is the first to; further
    ones are wrong, those on difficult objects do not count. `11-point` is the rule of 2007, `all-points` that since 2010.
    An item's score is the share of its objects that were found; the interval resamples images.
    """
    tables = {name: _matched(name, detections, references) for name in classes}
    known = [name for name in classes if tables[name].objects.sum()]
    everything = np.ones((1, len(references)))
    values = {name: float(_average(tables[name], everything, interpolation)[0]) for name in known}
    found, owed = np.zeros(len(references)), np.zeros(len(references))
    for name in known:
        owed += tables[name].objects
        np.add.at(found, tables[name].image[tables[name].right], 1.0)

    def statistic(weights: Floats) -> Floats:
        return (
            np.mean([_average(tables[name], weights, interpolation) for name in known], axis=0) if known else weights[:, 0] * 0
        )

    return Result(
        f"voc/{interpolation}",
        {"mAP": float(np.mean(list(values.values()))) if values else float("nan"), **values},
        100 * np.divide(found, owed, out=np.ones(len(owed)), where=owed > 0),
        statistic,
        missing=missing(detections),
        notes=("an item's score is the share of its objects that were found",),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """A class's detections from the best score down: the image of each, and whether it is right; objects an image."""

    image: np.ndarray
    right: np.ndarray
    wrong: np.ndarray
    objects: Floats


def _matched(name: str, detections: Sequence[Sequence[Detection] | None], references: Sequence[Sequence[Detection]]) -> _Table:
    truths = [[truth for truth in group if truth.name == name] for group in references]
    listed = [
        (guess.score, image, guess.box)
        for image, (group, _) in enumerate(aligned(detections, references))
        for guess in group or ()
        if guess.name == name
    ]
    listed.sort(key=lambda entry: -entry[0])
    taken: set[tuple[int, int]] = set()
    right, wrong = np.zeros(len(listed), bool), np.zeros(len(listed), bool)
    for number, (_, image, box) in enumerate(listed):
        overlaps = [box_iou(box, truth.box, "inclusive") for truth in truths[image]]
        best = int(np.argmax(overlaps)) if overlaps else -1
        if best < 0 or overlaps[best] < THRESHOLD:
            wrong[number] = True
        elif not truths[image][best].difficult:
            repeated = (image, best) in taken
            right[number], wrong[number] = not repeated, repeated
            taken.add((image, best))
    counts = np.array([sum(not truth.difficult for truth in group) for group in truths], dtype=np.float64)
    return _Table(np.array([image for _, image, _ in listed], np.int64), right, wrong, counts)


def _average(table: _Table, weights: Floats, interpolation: str) -> Floats:
    """The class's AP in percent under weights `[B, images]`."""
    owed = weights @ table.objects
    each = weights[:, table.image]
    hits, misses = np.cumsum(each * table.right, axis=1), np.cumsum(each * table.wrong, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        recall = np.where(owed[:, None] > 0, hits / owed[:, None], 0.0)
        precision = np.nan_to_num(hits / (hits + misses))
    return np.array([100 * _area(row, column, interpolation) for row, column in zip(recall, precision, strict=True)])


def _area(recall: Floats, precision: Floats, interpolation: str) -> float:
    if interpolation == "11-point":
        return float(np.mean([precision[recall >= level].max(initial=0.0) for level in np.linspace(0, 1, 11)]))
    recall, precision = np.concatenate([[0.0], recall, [1.0]]), np.concatenate([[0.0], precision, [0.0]])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(((recall[1:] - recall[:-1]) * envelope[1:]).sum())


VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
