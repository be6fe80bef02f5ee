"""Overlap of masks: mIoU of semantic maps, gIoU and cIoU of referred masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Floats, Result, ratio, weighted_mean

Mask = NDArray[np.bool_]


def referred_masks(
    predictions: Sequence[Mask | None], references: Sequence[Mask], headline: Literal["gIoU", "cIoU"] = "gIoU"
) -> Result:
    """gIoU, cIoU and Acc@0.5 in percent, foreground only (Lai et al., LISA, CVPR 2024), the `headline` first.

    gIoU is the mean IoU of the images, 1 where both masks are empty; cIoU (elsewhere oIoU) is all intersections over all
    unions. `None` is a missing mask: its IoU is 0 and its union the reference. Raises `InputError` for masks of
    different size.
    """
    overlaps = [_overlap(mask, truth, number) for number, (mask, truth) in enumerate(aligned(predictions, references))]
    shared, united = np.array(overlaps, dtype=np.float64).reshape(-1, 2).T
    ious = np.divide(shared, united, out=np.ones(len(shared)), where=united > 0)
    ious[[mask is None for mask in predictions]] = 0
    statistics = {"gIoU": weighted_mean(100 * ious), "cIoU": ratio(shared, united, 100)}
    everything = np.ones((1, len(ious)))
    values = {name: float(statistic(everything)[0]) for name, statistic in statistics.items()}
    first = {headline: values[headline]}
    hits = {"acc@0.5": 100 * float((ious > 0.5).mean()) if len(ious) else math.nan}
    return Result("lisa", first | values | hits, 100 * ious, statistics[headline], missing=missing(predictions))


def dice(predictions: Sequence[Mask | None], references: Sequence[Mask]) -> Result:
    """Mean Dice in percent over pictures, as segmentation of medical images is reported, then mean IoU.

    Both are 1 where both masks are empty. `None` is a missing mask and scores 0.
    """
    overlaps = [_overlap(mask, truth, number) for number, (mask, truth) in enumerate(aligned(predictions, references))]
    shared, united = np.array(overlaps, dtype=np.float64).reshape(-1, 2).T
    ious = np.divide(shared, united, out=np.ones(len(shared)), where=united > 0)
    scores = np.divide(2 * shared, shared + united, out=np.ones(len(shared)), where=united > 0)
    absent = [mask is None for mask in predictions]
    ious[absent], scores[absent] = 0, 0
    mean = {"mIoU": 100 * float(ious.mean()) if len(ious) else math.nan}
    return Result.mean("dice/per-picture", "mDice", 100 * scores, values=mean, missing=missing(predictions))


def _overlap(mask: Mask | None, truth: Mask, number: int) -> tuple[int, int]:
    if mask is None:
        return 0, int(truth.sum())
    if mask.shape != truth.shape:
        raise InputError(f"mask {number} is {mask.shape}, its reference {truth.shape}")
    return int((mask & truth).sum()), int((mask | truth).sum())


def mean_iou(
    predictions: Sequence[NDArray[np.integer] | None],
    references: Sequence[NDArray[np.integer]],
    classes: int,
    ignore: int = 255,
) -> Result:
    """mIoU in percent of semantic maps `[H, W]` over the classes present in either, from one summed confusion matrix.

    Pixels whose reference is `ignore` do not count; a predicted class out of range is wrong. A missing map is wrong
    everywhere. An item's score is its pixel accuracy. Raises `InputError` for maps of different size.
    """
    tables = np.zeros((len(references), classes, 3))  # intersection, predicted, true
    for number, (guess, truth) in enumerate(aligned(predictions, references)):
        if guess is not None and guess.shape != truth.shape:
            raise InputError(f"map {number} is {guess.shape}, its reference {truth.shape}")
        counted = truth[truth != ignore]
        if counted.size and (int(counted.min()) < 0 or int(counted.max()) >= classes):
            raise InputError(f"reference map {number} holds a class outside 0..{classes - 1}")
        said = np.full(counted.shape, -1) if guess is None else guess[truth != ignore].astype(np.int64)
        known = said[(said >= 0) & (said < classes)]
        tables[number, :, 0] = np.bincount(counted[said == counted], minlength=classes)
        tables[number, :, 1] = np.bincount(known, minlength=classes)
        tables[number, :, 2] = np.bincount(counted, minlength=classes)
    pixels = tables[:, :, 2].sum(axis=1)
    accuracy = np.divide(tables[:, :, 0].sum(axis=1), pixels, out=np.ones(len(pixels)), where=pixels > 0)
    return Result(
        "miou/present-classes",
        {"mIoU": float(_miou(tables, np.ones((1, len(tables))))[0]), "pixel_accuracy": _pixel_accuracy(tables)},
        100 * accuracy,
        lambda weights: _miou(tables, weights),
        missing=missing(predictions),
        notes=("an item's score is its pixel accuracy",),
    )


def _miou(tables: Floats, weights: Floats) -> Floats:
    sums = np.tensordot(weights, tables, axes=1)
    union = sums[:, :, 1] + sums[:, :, 2] - sums[:, :, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        ious = np.where(union > 0, sums[:, :, 0] / union, 0.0)
        return np.asarray(100 * ious.sum(axis=1) / (union > 0).sum(axis=1))


def _pixel_accuracy(tables: Floats) -> float:
    total = tables[:, :, 2].sum()
    return 100 * float(tables[:, :, 0].sum() / total) if total else math.nan
