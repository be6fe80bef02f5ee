"""Visual Genome's objects and region descriptions. (Its questions: `qa` with each=qas.)"""

from __future__ import annotations

from typing import Any, Literal

from vistune.data.fields.lookup import Lookup
from vistune.data.fields.media_files import folder_of, media_file
from vistune.data.fields.questions import Questions
from vistune.data.fields.regions.boxes import unit_box
from vistune.data.fields.regions.detection import FIND_ALL, detection_sample
from vistune.data.fields.regions.referring import Direction, referring_sample, wordings
from vistune.data.fields.typed import Record, as_label, as_list, as_number, as_object, as_text, need
from vistune.data.readers.base import Reader
from vistune.data.records.json_records import open_records
from vistune.errors import InputError
from vistune.sample import Media, Region, Sample


class VisualGenome(Reader):
    """Krishna et al., Visual Genome, 2017. One sample per image.

    path:        `objects.json` or `region_descriptions.json`
    image_data:  `image_data.json`, which holds the images' sizes and, at the end of their URLs, names (`VG_100K/2.jpg`)
    images:      the folder that holds `VG_100K` and `VG_100K_2`
    part:        "objects" (asked as detection) or "regions" (a question per region)
    task:        for regions: "locate" (phrase to box) or "describe" (box to phrase)
    question:    wording(s); for regions they hold `{phrase}` or `{region}`
    clip:        cut boxes that reach outside their image (this data has many) instead of refusing the image
    """

    def __init__(
        self,
        path: str,
        image_data: str,
        images: str | None = None,
        part: Literal["objects", "regions"] = "regions",
        task: Direction = "describe",
        question: str | list[str] | None = None,
        clip: bool = False,
    ) -> None:
        self._records = open_records(path)
        self._pictures = Lookup(image_data, key="image_id")
        self._folder = folder_of(path, images)
        self._part, self._direction, self._clip = part, task, clip
        self._questions = Questions(question or FIND_ALL) if part == "objects" else wordings(task, question)

    def __len__(self) -> int:
        return len(self._records)

    def sample(self, index: int) -> Sample:
        """One image with its objects or regions."""
        where = self._records.where(index)
        record = as_object(self._records[index], where)
        key = as_label(need(record, "image_id" if "image_id" in record else "id", where), where, "the image's id")
        picture = self._pictures.of(key, where)
        size = (
            as_number(need(picture, "width", where), where, "'width'"),
            as_number(need(picture, "height", where), where, "'height'"),
        )
        listed = as_list(need(record, self._part, where), where, f"{self._part!r}")
        regions = tuple(self._region(as_object(item, where, "a region"), size, where) for item in listed)
        image = self._image(picture, where)
        if self._part == "objects":
            return detection_sample(key, image, regions, self._questions, where)
        if not regions:
            raise InputError(f"{where}: image {key} has no regions")
        return referring_sample(key, image, regions, self._direction, self._questions, where)

    def _region(self, item: Record, size: tuple[float, float], where: str) -> Region:
        # Objects call their sides w and h, regions width and height.
        sides = [need(item, side, where) for side in (("x", "y", "w", "h") if "w" in item else ("x", "y", "width", "height"))]
        box = unit_box(sides, where, size, "xywh", clip=self._clip)
        if self._part == "regions":
            return Region(box=box, label=as_text(need(item, "phrase", where), where, "'phrase'").strip())
        names: Any = as_list(need(item, "names", where), where, "'names'")
        if not names:
            raise InputError(f"{where}: an object has no name")
        return Region(box=box, label=as_text(names[0], where, "a name"))

    def _image(self, picture: Record, where: str) -> Media:
        url = as_text(need(picture, "url", where), where, "'url'")
        return media_file("image", self._folder, "/".join(url.split("/")[-2:]), where)
