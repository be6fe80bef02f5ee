"""COCO instances (boxes and run-length masks) and captions (five a picture)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vistune.files import write_json
from vistune.world import digits, shapes
from vistune.world.digits import Split
from vistune.world.formats.picture import DESCRIPTION, Picture
from vistune.world.scene import SceneObject
from vistune.world.tasks import caption

# Every digit and every shape is a category; words are one, and what they say is in the annotation's `text`.
_NAMES = (*digits.NAMES, *shapes.NAMES, "word")
CATEGORIES: list[dict[str, Any]] = [
    {
        "id": number,
        "name": name,
        "supercategory": "digit" if name in digits.NAMES else "shape" if name in shapes.NAMES else "text",
    }
    for number, name in enumerate(_NAMES, 1)
]


def info(split: str) -> dict[str, Any]:
    """COCO's `info` block, without a date: an export is the same whenever it is made."""
    return {"description": f"{DESCRIPTION} ({split})", "version": "1.0", "year": 2026, "contributor": "vistune", "url": ""}


def header(split: str) -> dict[str, Any]:
    """What COCO's files begin with; images with licence number 0 are in the public domain."""
    return {"info": info(split), "licenses": [{"id": 0, "name": "public domain", "url": ""}]}


def category_id(thing: SceneObject) -> int:
    """The object's category."""
    return _NAMES.index("word" if thing.kind == "word" else thing.name) + 1


def image_record(picture: Picture) -> dict[str, Any]:
    """COCO's record of an image."""
    height, width = picture.scene.image.shape[:2]
    return {"id": picture.number, "file_name": picture.file_name, "width": width, "height": height, "license": 0}


def annotation(thing: SceneObject, number: int, picture: Picture) -> dict[str, Any]:
    """COCO's record of an object: `bbox` is x, y, width, height in pixels, `segmentation` an uncompressed run-length mask."""
    x1, y1, x2, y2 = (edge * len(picture.scene.image) for edge in thing.box)
    record: dict[str, Any] = {
        "id": number,
        "image_id": picture.number,
        "category_id": category_id(thing),
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": int(thing.mask.sum()),
        "iscrowd": 0,
        "segmentation": {"size": list(thing.mask.shape), "counts": run_lengths(thing.mask)},
        "attributes": {"colour": thing.colour, "size": thing.size},
    }
    if thing.kind == "word":
        record["text"] = thing.name
    return record


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """The mask's runs, column by column, beginning with a (perhaps empty) run of zeros: COCO's uncompressed encoding."""
    flat = mask.flatten(order="F").astype(np.int8)
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = [0, *(int(change) for change in changes), len(flat)]
    runs = [end - start for start, end in pairwise(edges)]
    return [0, *runs] if flat[0] else runs


class Instances:
    """The content of an instances file: images, annotations, categories."""

    def __init__(self) -> None:
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []

    def add(self, picture: Picture) -> list[tuple[SceneObject, int]]:
        """Take in a picture; returns each object with its annotation's id."""
        self.images.append(image_record(picture))
        first = len(self.annotations) + 1
        numbered = [(thing, first + index) for index, thing in enumerate(picture.scene.objects)]
        self.annotations += [annotation(thing, number, picture) for thing, number in numbered]
        return numbered

    def to_json(self, split: Split) -> dict[str, Any]:
        """The file's content."""
        return {**header(split), "images": self.images, "annotations": self.annotations, "categories": CATEGORIES}


class Coco:
    """Writes `instances.json` and `captions.json`."""

    def __init__(self) -> None:
        self._instances = Instances()
        self._captions: list[dict[str, Any]] = []

    def add(self, picture: Picture) -> None:
        """Take in a picture's objects and captions."""
        self._instances.add(picture)
        for text in caption.references(picture.scene):
            self._captions.append({"id": len(self._captions) + 1, "image_id": picture.number, "caption": text})

    def write(self, folder: Path, split: Split) -> None:
        """Write both files."""
        write_json(folder / "instances.json", self._instances.to_json(split))
        captions = {**header(split), "images": self._instances.images, "annotations": self._captions}
        write_json(folder / "captions.json", captions)
