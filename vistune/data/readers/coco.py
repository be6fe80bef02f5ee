"""COCO's JSON: instances, captions and panoptic segmentations (and what copies the format: LVIS, NoCaps, MS-CXR ...)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from vistune.data.fields.fieldmap import value_of
from vistune.data.fields.media_files import folder_of, media_file
from vistune.data.fields.questions import Questions
from vistune.data.fields.regions.boxes import unit_box
from vistune.data.fields.regions.by_image import ByImage, image_size, json_array
from vistune.data.fields.regions.coco_masks import instance_mask, panoptic_masks
from vistune.data.fields.regions.detection import FIND_ALL, named_regions
from vistune.data.fields.regions.referring import Direction, referring_sample, wordings
from vistune.data.fields.typed import Record, as_list, as_object, as_text, as_whole, is_crowd, need
from vistune.data.readers.base import Reader
from vistune.errors import InputError
from vistune.sample import MediaRef, Region, Sample, Text, Turn

QUESTIONS = {
    "instances": FIND_ALL,
    "panoptic": "Divide the picture into its parts and name each.",
    "captions": "Describe this briefly.",
}


class Coco(Reader):
    """One sample per image: its annotations are the answer (a name and a region each, or a caption) and `Sample.regions`.

    path:       the annotation file
    images:     the folder of the images (default: the file's own)
    task:       instances, captions or panoptic
    ask:        instances: "all" in one answer, or a question each: "describe" (box to name), "locate" (name to boxes); images
                without an object are then left out
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
        ask: Literal["all"] | Direction = "all",
        question: str | list[str] | None = "default",
        masks: bool = False,
        segments: str | None = None,
        label: str | None = None,
        file_name: str = "file_name",
        crowds: bool = False,
        clip: bool = False,
    ) -> None:
        self._file = ByImage(path)
        # Caption files have no categories, and a missing list would be refused.
        self._names = {} if task == "captions" else _category_names(path)
        self._folder = folder_of(path, images)
        self._segments = Path(segments) if segments is not None else Path(path).with_suffix("")
        self._task, self._masks, self._label, self._file_name = task, masks, label, file_name
        self._crowds, self._clip = crowds, clip
        self._ask = ask
        self._shown: Sequence[int] = range(len(self._file))
        if ask != "all":
            if task != "instances" or question is None:
                raise InputError(f"coco: ask={ask!r} is a question for each instance, not for task={task!r} or question=None")
            self._shown = self._file.with_objects()
            self._questions: Questions | None = wordings(ask, None if question == "default" else question)
        else:
            wording = QUESTIONS[task] if question == "default" else question
            self._questions = None if wording is None else Questions(wording)

    def __len__(self) -> int:
        return len(self._shown)

    def sample(self, index: int) -> Sample:
        """One image with all its annotations."""
        image, key, where = self._file.image(self._shown[index])
        medium = media_file("image", self._folder, value_of(image, self._file_name, where), where)
        regions, answers = self._truth(self._file.annotations(self._shown[index]), image, where)
        if self._ask != "all" and self._questions is not None:
            return referring_sample(key, medium, regions, self._ask, self._questions, where)
        return Sample(key, (medium,), self._turns(key, regions, answers), regions, answers, origin=where)

    def declared(self, index: int) -> tuple[float, float] | None:
        """The size in the image's record, which the boxes are divided by."""
        image, _, where = self._file.image(self._shown[index])
        return None if self._task == "captions" else image_size(image, where)

    def _truth(self, found: list[tuple[Record, str]], image: Record, where: str) -> tuple[tuple[Region, ...], tuple[str, ...]]:
        if self._task == "captions":
            texts = [as_text(need(record, "caption", at), at, "'caption'").strip() for record, at in found]
            return (), tuple(texts)
        size = image_size(image, where)
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


def _category_names(path: str) -> dict[int | str, str]:
    categories = json_array(path, "categories")
    names: dict[int | str, str] = {}
    for number in range(len(categories)):
        where = categories.where(number)
        record = as_object(categories[number], where)
        identity = need(record, "id", where)
        if not isinstance(identity, int | str) or identity in names:
            raise InputError(f"{where}: category id {identity!r} is given twice or is no id")
        names[identity] = as_text(need(record, "name", where), where, "'name'")
    return names
