"""Label maps: PNG files whose pixel values are classes (ADE20K) or instances (DAVIS)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vistune.data.fields.media_files import folder_of
from vistune.data.fields.names import read_names
from vistune.data.fields.questions import Questions
from vistune.data.fields.regions.detection import detection_sample
from vistune.data.media.image import load_labels
from vistune.data.readers.base import Reader
from vistune.errors import InputError
from vistune.files import kept
from vistune.sample import Media, Region, Sample

QUESTION = "Divide the picture into its parts and name each."


class Masks(Reader):
    """One sample per label map; one mask per value in it.

    path:      the folder of label maps, searched through all its folders
    images:    the folder of images, in the same folders under the same names
    names:     value -> name, a list of names from 1 on, or a file (`names_columns=[Idx, Name]`: of a table); a value without
               a name is refused; without `names` its number is its name
    ignore:    values that are no class (ADE20K: 0; Cityscapes: 255)
    pattern:   which files are label maps, e.g. "*_labelIds.png"
    suffix:    what a map's name ends in, to be replaced by `image_suffix`
    question:  what is asked, or several wordings; None makes no turns
    """

    def __init__(
        self,
        path: str,
        images: str,
        names: Mapping[int, str] | list[str] | str | None = None,
        names_columns: list[str] | None = None,
        ignore: list[int] | None = None,
        pattern: str = "*.png",
        suffix: str = ".png",
        image_suffix: str = ".jpg",
        question: str | list[str] | None = QUESTION,
    ) -> None:
        self._path, self._folder = Path(path), folder_of(path, images)
        if not self._path.is_dir():
            raise InputError(f"the folder of label maps {path} does not exist")
        self._files = sorted(str(file.relative_to(self._path)) for file in self._path.rglob(pattern))
        if strange := [name for name in self._files if not name.endswith(suffix)]:
            raise InputError(f"{self._path / strange[0]} does not end in {suffix!r}")
        self._names = None if names is None else _names(names, names_columns)
        self._ignore = frozenset([0] if ignore is None else ignore)
        self._suffix, self._image_suffix = suffix, image_suffix
        self._questions = None if question is None else Questions(question)

    def __len__(self) -> int:
        return len(self._files)

    def sample(self, index: int) -> Sample:
        """One image with its masks."""
        name = self._files[index]
        where = str(self._path / name)
        labels = load_labels(Media.file("image", where))
        values = [int(value) for value in np.unique(labels) if int(value) not in self._ignore]
        regions = tuple(Region(mask=labels == value, label=self._name(value, where)) for value in values)
        stem = name[: len(name) - len(self._suffix)]
        image = Media.file("image", str(kept(self._folder, self._folder / f"{stem}{self._image_suffix}")))
        return detection_sample(stem, image, regions, self._questions, where)

    def _name(self, value: int, where: str) -> str:
        if self._names is None:
            return str(value)
        if value not in self._names:
            raise InputError(f"{where}: value {value} has no name: give one, or ignore it")
        return self._names[value]


def _names(names: Mapping[int, str] | list[str] | str, columns: list[str] | None) -> dict[int, str]:
    if isinstance(names, list):
        return dict(enumerate(names, 1))
    if not isinstance(names, str):
        return dict(names)
    found = read_names(names, columns)
    if strange := [key for key in found if not key.isdigit()]:
        raise InputError(f"{names}: {strange[0]!r} is no pixel value")
    return {int(key): name for key, name in found.items()}
