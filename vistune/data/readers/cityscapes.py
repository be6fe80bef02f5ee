"""Cityscapes' polygons: one JSON file per image under `gtFine`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from vistune.data.fields.media_files import folder_of
from vistune.data.fields.questions import Questions
from vistune.data.fields.regions.detection import detection_sample
from vistune.data.fields.typed import as_list, as_number, as_object, as_text, as_whole, need
from vistune.data.media.image import MAX_PIXELS
from vistune.data.readers.base import Reader
from vistune.data.readers.masks import QUESTION
from vistune.data.records.strict_json import parse_json
from vistune.errors import InputError
from vistune.files import kept
from vistune.sample import Media, Region, Sample

_ENDING, _IMAGE = "_gtFine_polygons.json", "_leftImg8bit.png"


class Cityscapes(Reader):
    """Cordts et al., The Cityscapes Dataset, 2016. One sample per image; one mask per polygon, hidden parts cut away.

    path:      `gtFine/SPLIT`
    images:    `leftImg8bit/SPLIT`
    ignore:    labels that are no object
    question:  what is asked, or several wordings; None makes no turns

    Polygons are painted in the file's order, back to front, as the data set defines them.
    """

    def __init__(
        self,
        path: str,
        images: str,
        ignore: list[str] | None = None,
        question: str | list[str] | None = QUESTION,
    ) -> None:
        self._path, self._folder = Path(path), folder_of(path, images)
        if not self._path.is_dir():
            raise InputError(f"the folder of polygons {path} does not exist")
        self._files = sorted(str(file.relative_to(self._path)) for file in self._path.rglob(f"*{_ENDING}"))
        self._ignore = frozenset(["out of roi", "ego vehicle", "rectification border"] if ignore is None else ignore)
        self._questions = None if question is None else Questions(question)

    def __len__(self) -> int:
        return len(self._files)

    def sample(self, index: int) -> Sample:
        """One image with its masks."""
        path = self._path / self._files[index]
        where = str(path)
        try:
            record = as_object(parse_json(path.read_bytes(), where), where)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}") from error
        sides = (as_whole(need(record, side, where), where, f"{side!r}") for side in ("imgWidth", "imgHeight"))
        width, height = sides
        if width <= 0 or height <= 0 or width * height > MAX_PIXELS:
            raise InputError(f"{where}: an image of {width}x{height} is empty or more than {MAX_PIXELS / 1e6:.0f} megapixels")
        objects = as_list(need(record, "objects", where), where, "'objects'")
        if len(objects) > 65_535:
            raise InputError(f"{where}: {len(objects)} objects in one image")
        canvas = Image.new("I;16", (width, height))
        labels = [self._paint(item, number, canvas, where) for number, item in enumerate(objects, 1)]
        painted = np.asarray(canvas)
        masks = [(label, painted == number) for number, label in enumerate(labels, 1) if label not in self._ignore]
        regions = tuple(Region(mask=mask, label=label) for label, mask in masks if mask.any())
        stem = self._files[index].removesuffix(_ENDING)
        image = Media.file("image", str(kept(self._folder, self._folder / f"{stem}{_IMAGE}")))
        return detection_sample(stem, image, regions, self._questions, where)

    def _paint(self, item: Any, number: int, canvas: Image.Image, where: str) -> str:
        item = as_object(item, where, f"object {number}")
        points = [as_list(point, where, "a point") for point in as_list(need(item, "polygon", where), where, "'polygon'")]
        if len(points) < 3 or any(len(point) != 2 for point in points):
            raise InputError(f"{where}: object {number} is no polygon of at least three x, y points")
        corners = [(as_number(x, where, "x"), as_number(y, where, "y")) for x, y in points]
        ImageDraw.Draw(canvas).polygon(corners, fill=number)
        return as_text(need(item, "label", where), where, "'label'")
