"""COCO's average precision and recall of boxes and masks (Lin et al., Microsoft COCO, ECCV 2014), by `pycocotools`."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError, MissingExtraError
from vistune.evals.metrics.inputs import missing
from vistune.evals.result import Floats, Result

# The order of COCOeval.stats.
NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
AREAS, MAX_DETECTIONS = 4, 100
_RECALLS = np.linspace(0.0, 1.0, 101)
_EPSILON = float(np.spacing(1))


def coco_ap(
    detections: Sequence[Sequence[Mapping[str, Any]] | None],
    images: Sequence[int],
    annotations: Mapping[str, Any],
    kind: Literal["bbox", "segm"] = "bbox",
) -> Result:
    """AP over IoU .50:.95 first, then COCO's eleven other numbers, as fractions; -1 where nothing of a size exists.

    `detections[i]`: the result records (`category_id`, `score` and `bbox` xywh in pixels or `segmentation`) of
    `images[i]`, `None` when the image has no prediction. `annotations`: the content of an `instances_*.json`.
    An image's item is F1 at IoU .5 over its categories, every detection taken. The interval resamples images.
    Raises `InputError` for a malformed record and `MissingExtraError` without `pycocotools`.
    """
    records = [
        {**_checked(record, kind, image), "image_id": image}
        for image, found in zip(images, detections, strict=True)
        for record in found or ()
    ]
    evaluation = _evaluate(records, images, annotations, kind)
    matches = _ImageMatches(evaluation.evalImgs, len(evaluation.params.catIds), len(evaluation.params.imgIds))
    # `COCOeval` sorts its images; items are reported in the order they were asked.
    order = np.searchsorted(evaluation.params.imgIds, images)
    return Result(
        f"coco/{kind}",
        dict(zip(NAMES, (float(value) for value in evaluation.stats), strict=True)),
        matches.f1()[order],
        lambda weights: matches.ap(_reordered(weights, order)),
        unit="",
        missing=missing(detections),
        notes=("an item's score is its F1 at IoU .5",),
    )


def _reordered(weights: Floats, order: NDArray[np.int64]) -> Floats:
    sorted_weights = np.empty_like(weights)
    sorted_weights[:, order] = weights
    return sorted_weights


def _checked(record: Mapping[str, Any], kind: str, image: int) -> dict[str, Any]:
    """A result record's own fields. Raises `InputError` for what pycocotools would crash on or count silently."""
    shape = "bbox" if kind == "bbox" else "segmentation"
    for name in ("category_id", "score", shape):
        if name not in record:
            raise InputError(f"a detection on image {image} lacks {name!r}")
    score, box, category = record["score"], record.get("bbox"), record["category_id"]
    if not isinstance(category, int) or isinstance(category, bool):
        raise InputError(f"a detection on image {image} has the category_id {category!r}, expected a whole number")
    if not _is_finite(score):
        raise InputError(f"a detection on image {image} has the score {score!r}, expected a finite number")
    if kind == "bbox" and not _is_xywh(box):
        raise InputError(f"a detection on image {image} has the box {box!r}, expected four finite numbers x, y, width, height")
    if kind == "segm" and not _is_run_lengths(record["segmentation"]):
        raise InputError(
            f"a detection on image {image} has the segmentation {str(record['segmentation'])[:60]}, expected compressed run"
            ' lengths: {"size": [height, width], "counts": text}'
        )
    return {name: record[name] for name in ("category_id", "score", shape)}


def _is_run_lengths(mask: Any) -> bool:
    if not isinstance(mask, dict) or not isinstance(mask.get("counts"), str | bytes):
        return False
    size = mask.get("size")
    return isinstance(size, list | tuple) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)


def _is_finite(value: Any) -> bool:
    """A finite number that a float holds."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _is_xywh(box: Any) -> bool:
    return isinstance(box, list | tuple) and len(box) == 4 and all(map(_is_finite, box)) and min(box[2:]) >= 0


def _evaluate(records: list[dict[str, Any]], images: Sequence[int], annotations: Mapping[str, Any], kind: str) -> Any:
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise MissingExtraError("pycocotools", "coco", "COCO AP") from error
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        truth = COCO()
        truth.dataset = dict(annotations)
        truth.createIndex()
        found = truth.loadRes(records) if records else _no_results(truth)
        evaluation = COCOeval(truth, found, kind)
        evaluation.params.imgIds = sorted(images)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def _no_results(truth: Any) -> Any:
    """An empty result set, which `loadRes` cannot make."""
    empty = type(truth)()
    empty.dataset = {"images": truth.dataset["images"], "categories": truth.dataset["categories"], "annotations": []}
    empty.createIndex()
    return empty


class _ImageMatches:
    """The matches of every image, kept so that AP can be computed again under image weights."""

    def __init__(self, evaluated: list[dict[str, Any] | None], categories: int, images: int) -> None:
        self.images = images
        # evalImgs runs over categories, then areas, then images; the first area is 'all'.
        starts = [category * AREAS * images for category in range(categories)]
        self.categories = [list(enumerate(evaluated[start : start + images])) for start in starts]

    def f1(self) -> Floats:
        """`[images]`: 2 TP / (2 TP + FP + FN) at IoU .5; 1 where there is nothing and nothing was found."""
        counts = np.zeros((self.images, 3))
        for evaluated in self.categories:
            for image, match in evaluated:
                if match is not None:
                    counted = ~match["dtIgnore"][0]
                    hits = int((match["dtMatches"][0][counted] > 0).sum())
                    counts[image] += hits, int(counted.sum()), int((1 - np.asarray(match["gtIgnore"], dtype=int)).sum())
        total = counts[:, 1] + counts[:, 2]
        return np.divide(2 * counts[:, 0], total, out=np.ones(self.images), where=total > 0)

    def ap(self, weights: Floats) -> Floats:
        """AP `[B]` when image i counts `weights[b, i]` times."""
        per_category = [self._category_ap(evaluated, weights) for evaluated in self.categories]
        present = [values for values in per_category if values is not None]
        if not present:
            return np.full(len(weights), -1.0)
        with np.errstate(invalid="ignore"):
            stacked = np.stack(present)
            counted = ~np.isnan(stacked)
            mean: Floats = np.where(counted, stacked, 0).sum(axis=0) / counted.sum(axis=0)
        return mean

    def _category_ap(self, evaluated: list[tuple[int, dict[str, Any] | None]], weights: Floats) -> Floats | None:
        """AP `[B]` of one category, NaN where a resample has none of its objects; `None` when no image has one."""
        held = [(image, match) for image, match in evaluated if match is not None]
        if not held:
            return None
        objects = np.array([(1 - np.asarray(match["gtIgnore"], dtype=int)).sum() for _, match in held])
        positives = weights[:, [image for image, _ in held]] @ objects
        scores = np.concatenate([np.asarray(match["dtScores"][:MAX_DETECTIONS], dtype=float) for _, match in held])
        # Stable, as in COCOeval: detections of equal score keep the order of their images, and the curve depends on it.
        order = np.argsort(-scores, kind="mergesort")
        owner = np.concatenate([np.full(len(match["dtScores"][:MAX_DETECTIONS]), image) for image, match in held])[order]
        counted = ~np.concatenate([match["dtIgnore"][:, :MAX_DETECTIONS] for _, match in held], axis=1)[:, order].astype(bool)
        hit = np.concatenate([match["dtMatches"][:, :MAX_DETECTIONS] for _, match in held], axis=1)[:, order] > 0
        # All of them are ignored (crowds): COCO gives such a category no precision.
        if not objects.any():
            return None
        return np.array(
            [
                _average_precision(hit & counted, counted, row[owner], total) if total else math.nan
                for row, total in zip(weights, positives, strict=True)
            ]
        )


def _average_precision(hit: NDArray[np.bool_], counted: NDArray[np.bool_], weight: Floats, positives: float) -> float:
    """Mean over IoU thresholds (rows) of precision at 101 recalls, detections (columns) by falling score."""
    if not hit.shape[1]:
        return 0.0
    true = np.cumsum(hit * weight, axis=1)
    precision = true / (np.cumsum(counted * weight, axis=1) + _EPSILON)
    # Precision at a recall is the best precision at any recall from there on, which makes the curve fall.
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    areas = []
    for recall, heights in zip(true / positives, envelope, strict=True):
        places = np.searchsorted(recall, _RECALLS, side="left")
        # Recalls that were never reached have precision zero, which the division by all 101 accounts for.
        areas.append(heights[places[places < len(heights)]].sum() / len(_RECALLS))
    return float(np.mean(areas))
