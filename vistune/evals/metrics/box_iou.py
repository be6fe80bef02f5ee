"""Intersection over union of boxes, and accuracy at a threshold (referring expression comprehension)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result

Box: TypeAlias = tuple[float, float, float, float]


def box_iou(first: Box, second: Box, pixels: Literal["continuous", "inclusive"] = "continuous") -> float:
    """IoU of two xyxy boxes; 0 where a box is inverted or has a coordinate that is not finite.

    `inclusive` counts the last row and column (+1), as the RefCOCO toolkit does with pixel coordinates; `continuous`
    does not, as everyone does with normalised ones. Two empty boxes have IoU 0.
    """
    if not (is_box(first) and is_box(second)):
        return 0.0
    edge = 1.0 if pixels == "inclusive" else 0.0
    width = min(first[2], second[2]) - max(first[0], second[0]) + edge
    height = min(first[3], second[3]) - max(first[1], second[1]) + edge
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(first, edge) + _area(second, edge) - shared)


def is_box(box: Box) -> bool:
    """Four finite coordinates, right of left and below of above or on them."""
    # Equal edges are allowed: an empty box overlaps nothing but is no unreadable answer.
    return all(math.isfinite(value) for value in box) and box[0] <= box[2] and box[1] <= box[3]


def _area(box: Box, edge: float) -> float:
    return (box[2] - box[0] + edge) * (box[3] - box[1] + edge)


def box_accuracy(
    predictions: Sequence[Box | None],
    references: Sequence[Box],
    threshold: float = 0.5,
    comparison: Literal[">", ">="] = ">",
    pixels: Literal["continuous", "inclusive"] = "continuous",
    unparsed: int = 0,
) -> Result:
    """Percentage of boxes with IoU over the threshold, and the mean IoU; boxes are xyxy.

    Published numbers differ in `comparison`: MiniGPT-v2 and Shikra use `>`, Ferret `>=`. `None` is a missing box and
    wrong; an inverted or non-finite box is wrong and counted as unparsed, with the `unparsed` answers the caller found.
    """
    ious = np.array([0.0 if box is None else box_iou(box, truth, pixels) for box, truth in aligned(predictions, references)])
    hits = (ious > threshold if comparison == ">" else ious >= threshold).astype(np.float64) * 100
    return Result.mean(
        f"iou/{pixels}/{comparison}{threshold:g}",
        f"acc@{threshold:g}",
        hits,
        values={"mean_iou": 100.0 * float(ious.mean()) if len(ious) else math.nan},
        missing=missing(predictions),
        unparsed=unparsed + sum(box is not None and not is_box(box) for box in predictions),
    )
