"""COCO detection and instance segmentation (Lin et al., Microsoft COCO, ECCV 2014)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from vistune.errors import InputError
from vistune.evals.benchmark import field_of
from vistune.evals.metrics.coco_ap import coco_ap
from vistune.evals.prediction import Prediction, identifier_of
from vistune.evals.reading.annotations import asked, checked_categories, checked_objects, key_of, list_of, medium, whole_of
from vistune.evals.reading.detections_in_text import detections_on, given_detections, notes_on
from vistune.evals.reading.sources import Content, load_json, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class CocoDetection:
    """`shape` is what is compared.

    An answer lists `category: [x1, y1, x2, y2]` with coordinates from 0 to `scale`; the extra `detections` (the result records
    of an image) takes its place where a model gives scores, and where masks are compared.
    """

    shape: Literal["bbox", "segm"] = "bbox"
    scale: float = 1.0
    prompt: str = "Detect every object. Write one a line as: category: [x1, y1, x2, y2]."

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "annotations/instances_val2017.json", "images": "val2017"}
    )
    answer_form: ClassVar[str] = "lines of category: [x1, y1, x2, y2]"
    result_form: ClassVar[str] = '[{"image_id", "category_id", "score", "bbox" or "segmentation"}]'
    ids: ClassVar[str] = "`id` of the image"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"image_id": 391895, "category_id": 1, "bbox": [100, 100, 80, 120], "score": 0.9}]'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample an image, its annotations in `meta` (the categories in every sample's, shared)."""
        path = locate(source, self.files["annotations"])
        value = load_json(path)
        categories = checked_categories(value, str(path))
        objects: dict[Any, list[Any]] = {}
        for where, record in checked_objects(value, str(path)):
            field_of(record, "area", where)  # which of the sizes it counts for
            objects.setdefault(key_of(record, "image_id", where), []).append({"iscrowd": 0, **record})
        folder = path.parent.parent / self.files["images"]
        return [
            asked(
                whole_of(image, "id", where),
                self.prompt,
                [medium(folder, image["file_name"])] if "file_name" in image else [],
                meta={"image": image, "annotations": objects.get(image["id"], []), "categories": categories},
                origin=where,
            )
            for index, image in enumerate(list_of(value, "images", str(path)))
            for where in [f"{path}: image {index + 1}"]
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
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
        """AP over IoU .50:.95 first. An answer from which no detection can be read is unparsed."""
        if not samples:
            raise InputError("there are no images to score")
        images = [sample.meta["image"] for sample in samples]
        annotations = {
            "images": images,
            "annotations": [record for sample in samples for record in sample.meta["annotations"]],
            "categories": samples[0].meta["categories"],
        }
        names = {
            field_of(record, "name", "categories"): field_of(record, "id", "categories") for record in annotations["categories"]
        }
        given = [None if prediction is None else given_detections(prediction) for prediction in predictions]
        read = [
            self._in_text(prediction, sample, names) if prediction is not None and found is None else found
            for prediction, found, sample in zip(predictions, given, samples, strict=True)
        ]
        # An empty list that was given says that nothing is there; one read from text says nothing.
        unparsed = sum(not found and listed is None and found is not None for found, listed in zip(read, given, strict=True))
        result = coco_ap(read, [image["id"] for image in images], annotations, self.shape)
        return replace(result, unparsed=unparsed, notes=(*result.notes, *notes_on(predictions, self.scale)))

    def _in_text(self, prediction: Prediction, sample: Sample, names: Mapping[str, int]) -> list[dict[str, Any]]:
        return [] if self.shape == "segm" else detections_on(sample, prediction.answer, names, self.scale)
