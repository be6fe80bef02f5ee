"""COCO instances: images, labelled boxes, categories."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vistune.data.fields.questions import Questions
from vistune.data.fields.regions.detection import FIND_ALL, detection_sample
from vistune.data.held import Json, refuse, relative_name
from vistune.data.media.image import image_size
from vistune.errors import InputError
from vistune.files import write_json
from vistune.sample import Sample

READ: dict[str, object] = {"kind": "coco"}


def write(samples: Iterable[Sample], path: str, images: Path) -> int:
    """Write all samples and return how many. Image sizes are read from headers; boxes become xywh in pixels.

    Raises `InputError` for what the format cannot hold: turns other than the coco reader's own, regions without a box.
    """
    pictures: list[Json] = []
    annotations: list[Json] = []
    categories: dict[str, int] = {}
    for sample in samples:
        _check(sample)
        width, height = image_size(sample.media[0], sample.where)
        name = relative_name(sample.media[0], images, sample, "coco")
        pictures.append({"id": sample.id, "file_name": name, "width": width, "height": height})
        for region in sample.regions:
            assert region.box is not None and region.label is not None
            x1, y1, x2, y2 = region.box
            box = [x1 * width, y1 * height, (x2 - x1) * width, (y2 - y1) * height]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": sample.id,
                    "category_id": categories.setdefault(region.label, len(categories) + 1),
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
            )
    named = [{"id": number, "name": name} for name, number in categories.items()]
    write_json(path, {"images": pictures, "annotations": annotations, "categories": named})
    return len(pictures)


def _check(sample: Sample) -> None:
    refuse(sample, "coco", answers=False, choices=False, meta=False)
    if [medium.kind for medium in sample.media] != ["image"]:
        raise InputError(f"{sample.where}: coco holds one image a sample, this has {len(sample.media)} media")
    if any(region.box is None or region.label is None for region in sample.regions):
        raise InputError(f"{sample.where}: coco is written with labelled boxes only")
    asked = detection_sample(sample.id, sample.media[0], sample.regions, Questions(FIND_ALL), "")
    if sample.turns not in ((), asked.turns):
        raise InputError(f"{sample.where}: coco cannot hold its turns: leave them out with --drop turns")
