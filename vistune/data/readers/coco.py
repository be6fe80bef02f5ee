"""COCO's JSON: instances, captions and panoptic segmentations (and what copies the format: LVIS, NoCaps, MS-CXR ...)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vistune.data.fields.fieldmap import value_of
from vistune.data.fields.media_files import folder_of, media_file
from vistune.data.fields.questions import Questions
from vistune.data.fields.regions.boxes import unit_box
from vistune.data.fields.regions.coco_masks import instance_mask, panoptic_masks
from vistune.data.fields.regions.detection import FIND_ALL, named_regions
from vistune.data.fields.typed import Record, as_label, as_list, as_number, as_object, as_text, as_whole, is_crowd, need
from vistune.data.readers.base import Reader
from vistune.data.records.json_records import JsonArray, open_records
from vistune.errors import InputError
from vistune.sample import MediaRef, Region, Sample, Text, Turn

QUESTIONS = {
    "instances": FIND_ALL,
    "panoptic": "Divide the picture into its parts and name each.",
    "captions": "Describe this briefly.",
}
_IMAGE_ID = re.compile(rb'"image_id"\s*:\s*(?:(-?\d+)|"([^"\\]*)")')


class Coco(Reader):
    """One sample per image: its annotations are the answer (a name and a region each, or a caption) and `Sample.regions`.

    path:       the annotation file
    images:     the folder of the images (default: the file's own)
    task:       instances, captions or panoptic
    question:   what is asked, or several wordings; None makes no turns, only regions and answers
    masks:      read masks instead of boxes (instances: needs pycocotools; panoptic: the PNG files in `segments`)
    segments:   the folder of panoptic PNG files (default: a folder named like the file)
    label:      the annotation's key that names it (default: the category's name; MS-CXR: "label_text")
    file_name:  the image's key that holds its file name, or a template such as "{id:012d}.jpg"
    crowds:     keep annotations of crowds (`iscrowd`), which mark groups, not objects
    clip:       cut boxes that reach outside their image instead of refusing the image

    Opening parses the images and scans the annotations for their image. Format: Lin et al., Microsoft COCO, 2014; Kirillov et
    al., Panoptic Segmentation, 2019.
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        task: Literal["instances", "captions", "panoptic"] = "instances",
        question: str | list[str] | None = "default",
        masks: bool = False,
        segments: str | None = None,
        label: str | None = None,
        file_name: str = "file_name",
        crowds: bool = False,
        clip: bool = False,
    ) -> None:
        self._images, self._annotations = _array(path, "images"), _array(path, "annotations")
        self._names = {} if task == "captions" else _category_names(path)
        self._folder = folder_of(path, images)
        self._segments = Path(segments) if segments is not None else Path(path).with_suffix("")
        self._task, self._masks, self._label, self._file_name = task, masks, label, file_name
        self._crowds, self._clip = crowds, clip
        wording = QUESTIONS[task] if question == "default" else question
        self._questions = None if wording is None else Questions(wording)
        self._order, self._starts = _by_image(self._images, self._annotations)

    def __len__(self) -> int:
        return len(self._images)

    def sample(self, index: int) -> Sample:
        """One image with all its annotations."""
        where = self._images.where(index)
        image = as_object(self._images[index], where)
        key = as_label(need(image, "id", where), where, "'id'")
        medium = media_file("image", self._folder, value_of(image, self._file_name, where), where)
        found = [self._annotation(int(number), key) for number in self._order[self._starts[index] : self._starts[index + 1]]]
        regions, answers = self._truth(found, image, where)
        return Sample(key, (medium,), self._turns(key, regions, answers), regions, answers, origin=where)

    def declared(self, index: int) -> tuple[float, float] | None:
        """The size in the image's record, which the boxes are divided by."""
        where = self._images.where(index)
        return None if self._task == "captions" else _size(as_object(self._images[index], where), where)

    def _annotation(self, number: int, key: str) -> tuple[Record, str]:
        where = self._annotations.where(number)
        record = as_object(self._annotations[number], where)
        if as_label(need(record, "image_id", where), where, "'image_id'") != key:
            raise InputError(f"{where}: 'image_id' is {record['image_id']!r} inside, but a nested key says {key}")
        return record, where

    def _truth(self, found: list[tuple[Record, str]], image: Record, where: str) -> tuple[tuple[Region, ...], tuple[str, ...]]:
        if self._task == "captions":
            texts = [as_text(need(record, "caption", at), at, "'caption'").strip() for record, at in found]
            return (), tuple(texts)
        size = _size(image, where)
        if self._task == "panoptic":
            return tuple(region for record, at in found for region in self._panoptic(record, size, at)), ()
        kept = [(record, at) for record, at in found if self._crowds or not is_crowd(record, at)]
        return tuple(self._instance(record, size, at) for record, at in kept), ()

    def _instance(self, record: Record, size: tuple[float, float], where: str) -> Region:
        name = self._name(record, where)
        if self._masks:
            return Region(mask=instance_mask(need(record, "segmentation", where), size, where), label=name)
        return Region(box=unit_box(need(record, "bbox", where), where, size, "xywh", name="bbox", clip=self._clip), label=name)

    def _panoptic(self, record: Record, size: tuple[float, float], where: str) -> list[Region]:
        listed = as_list(need(record, "segments_info", where), where, "'segments_info'")
        segments = [as_object(segment, where, "a segment") for segment in listed]
        kept = [segment for segment in segments if self._crowds or not is_crowd(segment, where)]
        if not self._masks:
            boxes = [need(segment, "bbox", where) for segment in kept]
            units = [unit_box(box, where, size, "xywh", name="bbox", clip=self._clip) for box in boxes]
            return [Region(box=box, label=self._name(segment, where)) for box, segment in zip(units, kept, strict=True)]
        file = media_file("image", self._segments, need(record, "file_name", where), where)
        ids = [as_whole(need(segment, "id", where), where, "a segment's 'id'") for segment in kept]
        masks = panoptic_masks(file, ids, size, where)
        return [Region(mask=mask, label=self._name(segment, where)) for mask, segment in zip(masks, kept, strict=True)]

    def _name(self, record: Record, where: str) -> str:
        if self._label is not None:
            return as_text(need(record, self._label, where), where, f"{self._label!r}")
        category = need(record, "category_id", where)
        if not isinstance(category, int | str) or category not in self._names:
            raise InputError(f"{where}: category_id {category!r} is none of the {len(self._names)} categories")
        return self._names[category]

    def _turns(self, key: str, regions: tuple[Region, ...], answers: tuple[str, ...]) -> tuple[Turn, ...]:
        if self._questions is None:
            return ()
        user = Turn("user", (MediaRef(0), Text(self._questions.of(key))))
        if self._task == "captions":
            return (user, Turn("assistant", (Text(answers[0]),))) if answers else (user,)
        return user, Turn("assistant", named_regions(regions))


def _size(image: Record, where: str) -> tuple[float, float]:
    width, height = (as_number(need(image, key, where), where, f"{key!r}") for key in ("width", "height"))
    return width, height


def _array(path: str, key: str) -> JsonArray:
    records = open_records(path, key)
    if not isinstance(records, JsonArray):
        raise InputError(f"{path}: {key!r} is not a list")
    return records


def _category_names(path: str) -> dict[int | str, str]:
    categories = _array(path, "categories")
    names: dict[int | str, str] = {}
    for number in range(len(categories)):
        where = categories.where(number)
        record = as_object(categories[number], where)
        identity = need(record, "id", where)
        if not isinstance(identity, int | str) or identity in names:
            raise InputError(f"{where}: category id {identity!r} is given twice or is no id")
        names[identity] = as_text(need(record, "name", where), where, "'name'")
    return names


def _by_image(images: JsonArray, annotations: JsonArray) -> tuple[Any, Any]:
    """Annotation numbers sorted by image, and where each image's begin `[images + 1]`."""
    position: dict[str, int] = {}
    for number in range(len(images)):
        where = images.where(number)
        key = as_label(need(as_object(images[number], where), "id", where), where, "'id'")
        if position.setdefault(key, number) != number:
            raise InputError(f"{where}: image id {key} was given before")
    owner = np.zeros(len(annotations), np.int64)
    for number, raw in enumerate(annotations.raws()):
        match = _IMAGE_ID.search(raw)
        if match is None and b'"image_id"' in raw:  # an id with escapes: rare, and worth a whole parse
            record = as_object(annotations[number], annotations.where(number))
            key = as_label(record.get("image_id", ""), annotations.where(number), "'image_id'")
        else:
            key = "" if match is None else (match[1] or match[2]).decode("utf-8", "replace")
        if key not in position:
            raise InputError(
                f"{annotations.where(number)}: image_id {key or 'is missing, so it'} belongs to no image of the file"
            )
        owner[number] = position[key]
    order = np.argsort(owner, kind="stable")
    return order, np.searchsorted(owner[order], np.arange(len(images) + 1))
