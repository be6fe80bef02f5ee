"""Open Images: a CSV of boxes, in [0, 1] already, one row a box."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vistune.data.fields.media_files import folder_of, media_file
from vistune.data.fields.questions import Questions
from vistune.data.fields.regions.boxes import unit_box
from vistune.data.fields.regions.detection import FIND_ALL, detection_sample
from vistune.data.readers.base import Reader
from vistune.data.records.delimited import Delimited
from vistune.errors import InputError
from vistune.sample import Region, Sample

SIDES = ("XMin", "YMin", "XMax", "YMax")


class OpenImages(Reader):
    """Kuznetsova et al., The Open Images Dataset V4, 2020. One sample per image, its rows being neighbours in the file.

    path:       the CSV of boxes
    classes:    the CSV of `LabelName,DisplayName`
    images:     the folder of images (default: the file's own)
    question:   what is asked, or several wordings; None makes no turns
    groups:     keep boxes around groups (`IsGroupOf`)
    extension:  of the images' names

    Opening reads the rows once to find where each image's begin.
    """

    def __init__(
        self,
        path: str,
        classes: str,
        images: str | None = None,
        question: str | list[str] | None = FIND_ALL,
        groups: bool = True,
        extension: str = "jpg",
    ) -> None:
        self._rows = Delimited(Path(path), ",", None, quoted=False)
        missing = {"ImageID", "LabelName", *SIDES} - set(self._rows.columns)
        if missing:
            raise InputError(f"{path} has no column {sorted(missing)[0]!r}")
        self._names = _display_names(classes)
        self._folder, self._extension, self._groups = folder_of(path, images), extension, groups
        self._questions = None if question is None else Questions(question)
        self._starts = self._images_begin()

    def _images_begin(self) -> list[int]:
        starts: list[int] = []
        seen: set[str] = set()
        last: str | None = None
        for number in range(len(self._rows)):
            try:
                image = self._rows[number]["ImageID"]
            except InputError:  # raised again, and so reported, when that row is read as a sample of its own
                starts.append(number)
                last = None
                continue
            if image != last:
                if image in seen:
                    raise InputError(f"{self._rows.where(number)}: image {image!r} came before: sort the rows by image")
                starts.append(number)
                seen.add(image)
                last = image
        return [*starts, len(self._rows)]

    def __len__(self) -> int:
        return len(self._starts) - 1

    def sample(self, index: int) -> Sample:
        """One image with its boxes."""
        rows = range(self._starts[index], self._starts[index + 1])
        where = self._rows.where(rows.start)
        image = self._rows[rows.start]["ImageID"]
        regions = []
        for number in rows:
            row, at = self._rows[number], self._rows.where(number)
            if self._groups or row.get("IsGroupOf") != "1":
                regions.append(Region(box=unit_box(self._numbers(row, at), at, (1, 1)), label=self._name(row, at)))
        medium = media_file("image", self._folder, f"{image}.{self._extension}", where)
        return detection_sample(image, medium, tuple(regions), self._questions, where)

    def _numbers(self, row: Mapping[str, str], where: str) -> list[float]:
        try:
            return [float(row[side]) for side in SIDES]
        except ValueError as error:
            raise InputError(f"{where}: a side of the box is no number: {error}") from error

    def _name(self, row: Mapping[str, str], where: str) -> str:
        if row["LabelName"] not in self._names:
            raise InputError(f"{where}: class {row['LabelName']!r} is not in the class descriptions")
        return self._names[row["LabelName"]]


def _display_names(path: str) -> dict[str, str]:
    """`LabelName,DisplayName`; older releases have no header line."""
    rows = Delimited(Path(path), ",", ["LabelName", "DisplayName"], quoted=True)
    named = [(rows[number]["LabelName"], rows[number]["DisplayName"]) for number in range(len(rows))]
    return dict(row for row in named if row != ("LabelName", "DisplayName"))
