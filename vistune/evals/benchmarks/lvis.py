"""LVIS: detection of over a thousand categories, here by text (Gupta et al., CVPR 2019)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

from vistune.data.fields.typed import as_object, as_whole
from vistune.errors import InputError
from vistune.evals.benchmark import field_of
from vistune.evals.metrics.lvis_ap import lvis_ap
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, checked_categories, checked_objects, list_of, medium, text_of, whole_of
from vistune.evals.reading.detections_in_text import detections_on, given_detections, notes_on
from vistune.evals.reading.sources import Content, load_json, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class Lvis:
    """The validation split of version 1 has 19,809 images and 1,203 categories.

    An answer lists `category: [x1, y1, x2, y2]` with coordinates from 0 to `scale`; the extra `detections` (COCO's result
    records) takes its place where a model gives scores.
    """

    scale: float = 1.0
    prompt: str = "Detect every object. Write one a line as: category: [x1, y1, x2, y2]."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "lvis_v1_val.json", "images": "."})
    answer_form: ClassVar[str] = "lines of category: [x1, y1, x2, y2]"
    result_form: ClassVar[str] = '[{"image_id", "category_id", "bbox", "score"}]'
    ids: ClassVar[str] = "`id` of the image"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"image_id": 397133, "category_id": 1, "bbox": [64, 42, 128, 85], "score": 0.8}]'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample an image; its file is the end of `coco_url`, `val2017/000000397133.jpg`."""
        path = locate(source, self.files["annotations"])
        value = load_json(path)
        categories = checked_categories(value, str(path))
        for index, record in enumerate(categories):
            if field_of(record, "frequency", f"{path}: category {index + 1}") not in ("r", "c", "f"):
                raise InputError(
                    f"{path}: category {index + 1}: field 'frequency' is {record['frequency']!r}, expected r, c or f"
                )
        objects: dict[int, list[Any]] = defaultdict(list)
        for _, record in checked_objects(value, str(path)):
            objects[record["image_id"]].append({"iscrowd": 0, **record})
        return [
            asked(
                identifier,
                self.prompt,
                [medium(path.parent, "/".join(text_of(record, "coco_url", where).split("/")[-2:]))],
                meta={"image": record, "annotations": objects[identifier], "categories": categories},
                origin=where,
            )
            for index, record in enumerate(list_of(value, "images", str(path)))
            for where in [f"{path}: image {index + 1}"]
            for identifier in [_image(record, where)]
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """LVIS's result list, gathered by image."""
        value = content.value
        if content.form != "json" or not isinstance(value, list) or not value or not isinstance(value[0], dict):
            return None
        if not {"image_id", "category_id", "bbox", "score"} <= value[0].keys():
            return None
        found: dict[int, list[Any]] = defaultdict(list)
        for index, record in enumerate(value):
            found[whole_of(record, "image_id", content.record(index))].append(record)
        return [Prediction(str(image), "", extras={"detections": given}) for image, given in found.items()]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """AP first. An answer from which no detection can be read is unparsed."""
        if not samples:
            raise InputError("there are no images to score")
        categories = samples[0].meta["categories"]
        names = {field_of(record, "name", "categories"): field_of(record, "id", "categories") for record in categories}
        found = [
            None if prediction is None else self._detections(prediction, sample, names)
            for sample, prediction in zip(samples, predictions, strict=True)
        ]
        annotations = {
            "images": [sample.meta["image"] for sample in samples],
            "annotations": [record for sample in samples for record in sample.meta["annotations"]],
            "categories": categories,
        }
        result = lvis_ap(found, [sample.meta["image"]["id"] for sample in samples], annotations)
        unparsed = sum(records_ == [] for records_ in found)
        return replace(result, unparsed=unparsed, notes=(*result.notes, *notes_on(predictions, self.scale)))

    def _detections(self, prediction: Prediction, sample: Sample, names: Mapping[str, int]) -> list[Any]:
        given = given_detections(prediction)
        return detections_on(sample, prediction.answer, names, self.scale) if given is None else given


def _image(record: Any, where: str) -> int:
    """The image's id; its lists of categories are checked, which the metric trusts."""
    for name in ("neg_category_ids", "not_exhaustive_category_ids"):
        for category in list_of(record, name, where) if name in as_object(record, where) else ():
            as_whole(category, where, f"a category of {name!r}")
            whole_of({name: category}, name, where)
    as_whole(field_of(record, "id", where), where, "'id'")
    return whole_of(record, "id", where)
