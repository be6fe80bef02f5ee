"""COCO detection and instance segmentation (Lin et al., Microsoft COCO, ECCV 2014)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from vistune.errors import InputError
from vistune.evals.annotations import asked, medium
from vistune.evals.benchmark import field_of
from vistune.evals.metrics.coco_ap import coco_ap
from vistune.evals.prediction import Prediction, identifier_of
from vistune.evals.result import Result
from vistune.evals.sources import Content, load_json, locate
from vistune.sample import Sample


@dataclass(frozen=True)
class CocoDetection:
    """`shape` is what is compared. Our predictions hold the result records of an image under the extra `detections`."""

    shape: Literal["bbox", "segm"] = "bbox"
    prompt: str = "Detect every object in the image and give its category and bounding box."

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "annotations/instances_val2017.json", "images": "val2017"}
    )
    answer_form: ClassVar[str] = "a category and a box an object"
    result_form: ClassVar[str] = '[{"image_id", "category_id", "score", "bbox" or "segmentation"}]'

    def read(self, source: str) -> list[Sample]:
        """A sample an image, its annotations in `meta` (the categories in every sample's, shared)."""
        path = locate(source, self.files["annotations"])
        value = load_json(path)
        categories = field_of(value, "categories", str(path))
        objects: dict[Any, list[Any]] = {}
        for index, record in enumerate(field_of(value, "annotations", str(path))):
            objects.setdefault(field_of(record, "image_id", f"{path}: annotation {index + 1}"), []).append(record)
        folder = path.parent.parent / self.files["images"]
        return [
            asked(
                field_of(image, "id", where),
                self.prompt,
                [medium(folder, image["file_name"])] if "file_name" in image else [],
                meta={"image": image, "annotations": objects.get(image["id"], []), "categories": categories},
                origin=where,
            )
            for index, image in enumerate(field_of(value, "images", str(path)))
            for where in [f"{path}: image {index + 1}"]
        ]

    def recognise(self, content: Content) -> list[Prediction] | None:
        """COCO's result list, gathered by image."""
        value = content.value
        if content.form != "json" or not isinstance(value, list) or not value or not isinstance(value[0], dict):
            return None
        if not {"image_id", "category_id", "score"} <= value[0].keys():
            return None
        images: dict[str, list[Any]] = {}
        for index, record in enumerate(value):
            identifier = identifier_of(field_of(record, "image_id", content.record(index)), content.record(index), "image_id")
            images.setdefault(identifier, []).append(record)
        return [Prediction(identifier, "", extras={"detections": found}) for identifier, found in images.items()]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """AP over IoU .50:.95 first."""
        if not samples:
            raise InputError("there are no images to score")
        images = [sample.meta["image"] for sample in samples]
        annotations = {
            "images": images,
            "annotations": [record for sample in samples for record in sample.meta["annotations"]],
            "categories": samples[0].meta["categories"],
        }
        detections = [None if prediction is None else prediction.extras.get("detections", []) for prediction in predictions]
        return coco_ap(detections, [image["id"] for image in images], annotations, self.shape)
