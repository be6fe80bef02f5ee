"""LVIS average precision (Gupta et al., CVPR 2019): federated annotation, up to 300 detections an image; `faster-coco-eval`.

A detection of a category that nobody looked for in an image counts neither way; one that matches nothing, of a category that
is not exhaustively annotated there, is ignored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vistune.errors import InputError, MissingExtraError
from vistune.evals.metrics.box_iou import box_iou
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Floats, Result

MAX_DETECTIONS = 300
# Their names -> the names LVIS prints.
_NAMES = {"AP_all": "AP", "AP_50": "AP50", "AP_75": "AP75", "AP_small": "APs", "AP_medium": "APm", "AP_large": "APl"}
_NAMES |= {"APr": "APr", "APc": "APc", "APf": "APf"}


def lvis_ap(
    detections: Sequence[Sequence[Mapping[str, Any]] | None], images: Sequence[int], annotations: Mapping[str, Any]
) -> Result:
    """AP over IoU .50:.95 first, then AP50, AP75, by size, and of rare, common and frequent categories; fractions, -1 if none.

    `detections[i]`: records (`category_id`, `score`, `bbox` xywh in pixels) of `images[i]`. An image's item is F1 at IoU .5
    over the categories looked for in it; AP has no interval. Raises `MissingExtraError` without `faster-coco-eval`.
    """
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ImportError as error:
        raise MissingExtraError("faster-coco-eval", "coco", "LVIS average precision") from error
    checked = [
        None if found is None else [_checked(record, image) for record in found] for found, image in aligned(detections, images)
    ]
    records = [{**record, "image_id": image} for found, image in zip(checked, images, strict=True) for record in found or ()]
    truth = COCO({**annotations, "info": annotations.get("info", {})})
    values = dict.fromkeys(_NAMES.values(), 0.0)
    if records:
        evaluation = COCOeval_faster(truth, truth.loadRes(records), "bbox", lvis_style=True, print_function=_silent)
        evaluation.params.maxDets = [MAX_DETECTIONS]
        evaluation.run()
        values = {ours: float(evaluation.stats_as_dict[theirs]) for theirs, ours in _NAMES.items()}
    return Result(
        "lvis/bbox",
        values,
        _image_f1(checked, images, annotations),
        lambda weights: np.full(len(weights), np.nan),
        unit="",
        missing=missing(detections),
        notes=("an item's score is its F1 at IoU .5; AP has no interval",),
    )


def _silent(*_: object) -> None:
    """The library prints its table; we return it."""


def _checked(record: Mapping[str, Any], image: int) -> Mapping[str, Any]:
    try:
        box, score, category = [float(value) for value in record["bbox"]], float(record["score"]), int(record["category_id"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"image {image}: a detection needs category_id, score and bbox [x, y, w, h] ({error})") from error
    if len(box) != 4 or not np.isfinite([*box, score]).all() or min(box[2:]) < 0:
        raise InputError(f"image {image}: detection {dict(record)!r} has no finite bbox of four numbers and score")
    return {"category_id": category, "bbox": box, "score": score}


def _image_f1(
    detections: Sequence[Sequence[Mapping[str, Any]] | None], images: Sequence[int], annotations: Mapping[str, Any]
) -> Floats:
    truths: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for record in annotations["annotations"]:
        truths[record["image_id"]].append(record)
    negative = {image["id"]: set(image.get("neg_category_ids", ())) for image in annotations["images"]}
    scores = []
    for found, image in zip(detections, images, strict=True):
        left = list(truths[image])
        wanted = {record["category_id"] for record in left} | negative.get(image, set())
        # LVIS annotates each image for some categories only; detections of others are neither right nor wrong.
        judged = sorted((r for r in found or () if r["category_id"] in wanted), key=lambda record: -record["score"])
        total, hits = len(left) + len(judged), 0
        for record in judged:
            match = next((t for t in left if t["category_id"] == record["category_id"] and _overlaps(t, record)), None)
            if match is not None:
                left.remove(match)
                hits += 1
        scores.append(2 * hits / total if total else 1.0)
    return np.array(scores)


def _overlaps(truth: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    (x, y, w, h), (a, b, c, d) = truth["bbox"], record["bbox"]
    return box_iou((x, y, x + w, y + h), (a, b, a + c, b + d)) >= 0.5
