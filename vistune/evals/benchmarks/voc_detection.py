"""PASCAL VOC detection (Everingham et al., IJCV 2010): mAP at IoU .5 over twenty classes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from vistune.data.fields.typed import as_number
from vistune.data.records.safe_xml import child_number, child_text, read_xml
from vistune.errors import InputError
from vistune.evals.metrics.box_iou import Box
from vistune.evals.metrics.voc_ap import VOC_CLASSES, Detection, voc_ap
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium
from vistune.evals.reading.detections_in_text import given_detections, notes_on, read_detections
from vistune.evals.reading.sources import Content, read_text
from vistune.evals.result import Result
from vistune.files import kept
from vistune.sample import Sample

_FILE = re.compile(r"(?:comp\d+_det_\w+?_)?([a-z]+)\.txt")


@dataclass(frozen=True)
class VocDetection:
    """`interpolation`: 11 points, the rule of VOC 2007, whose test split has 4,952 pictures; all points since 2010.

    An answer lists `class: [x1, y1, x2, y2]` with coordinates from 0 to `scale`; the first is the surest. Results come as the
    development kit writes them, a text file a class: `name score x1 y1 x2 y2` in pixels from 1.
    """

    year: str = "2007"
    split: str = "test"
    interpolation: Literal["11-point", "all-points"] = "11-point"
    scale: float = 1.0
    prompt: str = "Detect every object. Write one a line as: category: [x1, y1, x2, y2]."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "VOCdevkit/VOC{year}/Annotations"})
    answer_form: ClassVar[str] = "lines of class: [x1, y1, x2, y2]"
    result_form: ClassVar[str] = "a folder of comp4_det_{split}_{class}.txt"
    ids: ClassVar[str] = "the file's name without its ending"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"lines of comp4_det_test_dog.txt in a folder": "000001 0.9 12 20 50 58"}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a picture of the split, its objects in `meta`."""
        root = Path(source) / "VOCdevkit" / f"VOC{self.year}"
        listed = root / "ImageSets" / "Main" / f"{self.split}.txt"
        return [self._picture(root, line.split()[0]) for line in read_text(listed).splitlines() if line.strip()]

    def _picture(self, root: Path, name: str) -> Sample:
        where = str(kept(root, root / "Annotations" / f"{name}.xml"))
        tree = read_xml(where)
        objects = [
            Detection(
                child_text(element, "name", where),
                _corners([child_number(element, f"bndbox/{side}", where) for side in ("xmin", "ymin", "xmax", "ymax")]),
                difficult=(element.findtext("difficult") or "0").strip() == "1",
            )
            for element in tree.iterfind("object")
        ]
        size = child_number(tree, "size/width", where), child_number(tree, "size/height", where)
        if not (size[0] > 0 and size[1] > 0):
            raise InputError(f"{where}: the picture's size is {size[0]:g} by {size[1]:g}, expected numbers above 0")
        image = medium(root / "JPEGImages", f"{name}.jpg")
        answer = "\n".join(
            f"{found.name}: [{(found.box[0] - 1) * self.scale / size[0]:.6g}, {(found.box[1] - 1) * self.scale / size[1]:.6g}, "
            f"{found.box[2] * self.scale / size[0]:.6g}, {found.box[3] * self.scale / size[1]:.6g}]"
            for found in objects
        )
        return asked(name, self.prompt, [image], [answer], meta={"objects": objects, "size": size}, origin=where)

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The development kit's folder of result files, gathered by picture."""
        if content.form != "folder":
            return None
        named = [(found[1], held) for name, held in content.value.items() if (found := _FILE.fullmatch(name))]
        if not any(held.form == "text" for _, held in named):
            return None
        pictures: dict[str, list[dict[str, Any]]] = {}
        for kind, held in named:
            for number, line in enumerate(held.value if held.form == "text" else [], 1):
                name, record = _result(line, kind, f"{held.path}: line {number}")
                pictures.setdefault(name, []).append(record)
        return [Prediction(name, "", extras={"detections": found}) for name, found in pictures.items()]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """mAP first, then the classes' AP. An answer from which no detection can be read is unparsed."""
        found = [
            None if prediction is None else self._detections(prediction, sample)
            for sample, prediction in zip(samples, predictions, strict=True)
        ]
        truths: list[list[Detection]] = [list(sample.meta["objects"]) for sample in samples]
        others = dict.fromkeys(truth.name for group in truths for truth in group if truth.name not in VOC_CLASSES)
        unparsed = sum(
            prediction is not None and not boxes and "detections" not in prediction.extras
            for prediction, boxes in zip(predictions, found, strict=True)
        )
        result = voc_ap(found, truths, (*VOC_CLASSES, *others), self.interpolation)
        return replace(result, unparsed=unparsed, notes=(*result.notes, *notes_on(predictions, self.scale)))

    def _detections(self, prediction: Prediction, sample: Sample) -> list[Detection]:
        given = given_detections(prediction)
        if given is not None:
            return [_given(record, f"prediction {prediction.id!r}") for record in given]
        size: tuple[float, float] = sample.meta["size"]
        names = list(VOC_CLASSES)
        read = read_detections(prediction.answer, {name: number for number, name in enumerate(names)}, size, self.scale)
        return [
            Detection(names[record["category_id"]], (x + 1, y + 1, x + width, y + height), record["score"])
            for record in read
            for x, y, width, height in [record["bbox"]]
        ]


def _corners(numbers: Sequence[float]) -> Box:
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _result(line: str, kind: str, where: str) -> tuple[str, dict[str, Any]]:
    words = line.split()
    try:
        score, *box = [float(word) for word in words[1:]]
    except ValueError as error:
        raise InputError(f"{where}: {line[:60]!r} is not  name score x1 y1 x2 y2") from error
    if len(box) != 4:
        raise InputError(f"{where}: {line[:60]!r} has {len(box)} coordinates, expected 4")
    return words[0], {"class": kind, "score": score, "box": box}


def _given(record: Mapping[str, Any], where: str) -> Detection:
    box, score = record.get("box"), record.get("score", 1.0)
    numbers = [as_number(one, where, "a number of a detection") for one in (score, *(box if isinstance(box, list) else ()))]
    if len(numbers) != 5:
        raise InputError(f"{where}: a detection holds {str(record)[:60]}, expected class, score and box, 4 numbers in pixels")
    return Detection(str(record.get("class")), _corners(numbers[1:]), numbers[0])
