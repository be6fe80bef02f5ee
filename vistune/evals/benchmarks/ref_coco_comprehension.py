"""Referring expression comprehension on RefCOCO, RefCOCO+ and RefCOCOg (Yu et al., ECCV 2016; Mao et al., CVPR 2016)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from vistune.data.records.safe_pickle import load_plain_pickle
from vistune.errors import InputError
from vistune.evals.benchmark import field_of, result_list, worded
from vistune.evals.metrics.box_iou import Box, box_accuracy
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, list_of, medium, numbers_of, sections, text_of, whole_of
from vistune.evals.reading.detections_in_text import NUMBER, scale_notes
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Region, Sample

PARTITIONS = {"refcoco": "unc", "refcoco+": "unc", "refcocog": "umd"}


@dataclass(frozen=True)
class RefCocoComprehension:
    """Sentences: RefCOCO val 10,834, testA 5,657, testB 5,095; RefCOCO+ 10,758, 5,726, 4,889; RefCOCOg val 4,896, test 9,602.

    `scale`: answers' coordinates run from 0 to it (1; 100 for MiniGPT-v2, 1000 for Ferret and Qwen-VL). `comparison`: `>`
    as MiniGPT-v2 and Shikra, `>=` as Ferret. `pixels`: `inclusive` counts the last row and column, as the toolkit does.
    """

    dataset: Literal["refcoco", "refcoco+", "refcocog"] = "refcoco"
    split: str = "testA"
    scale: float = 1.0
    threshold: float = 0.5
    comparison: Literal[">", ">="] = ">"
    pixels: Literal["continuous", "inclusive"] = "continuous"
    prompt: str = "Give the bounding box of what this describes: {expression}\nAnswer as [x1, y1, x2, y2]."

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "refcoco/refs(unc).p", "instances": "refcoco/instances.json", "images": "train2014"}
    )
    answer_form: ClassVar[str] = "one box, x1 y1 x2 y2 from 0 to `scale`"
    result_form: ClassVar[str] = '[{"sent_id", "answer"}]'
    ids: ClassVar[str] = "`sent_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"sent_id": 0, "answer": "[0.16, 0.7, 0.37, 1.0]"}]'})
    departs: ClassVar[str] = ""

    def official(self) -> str:
        """Where the expressions are in the official download."""
        return f"{self.dataset}/refs({PARTITIONS[self.dataset]}).p"

    def read(self, source: str) -> list[Sample]:
        """A sample a sentence of the split; the pickle is read as plain data only."""
        path = locate(source, self.official())
        instances = path.with_name("instances.json")
        images, boxes = (
            {whole_of(record, "id", where): (where, record) for where, record in section}
            for section in sections(instances, "images", "annotations")
        )
        references = load_plain_pickle(path)
        if not isinstance(references, list):
            raise InputError(f"{path}: holds no list of references")
        samples: list[Sample] = []
        for number, reference in enumerate(references):
            where = f"{path}: reference {number + 1}"
            if text_of(reference, "split", where) == self.split:
                image, box = _found(images, reference, "image_id", where), _found(boxes, reference, "ann_id", where)
                samples += self._sentences(path.parent.parent / self.files["images"], reference, image, box, where)
        if not samples:
            raise InputError(f"{path}: has no split {self.split!r}")
        return samples

    def _sentences(self, folder: Any, reference: Any, image: Any, box: Any, where: str) -> list[Sample]:
        width, height = whole_of(image, "width", where), whole_of(image, "height", where)
        x, y, w, h = numbers_of(box, "bbox", 4, where)
        if width < 1 or height < 1:
            raise InputError(f"{where}: the image is {width}x{height}")
        truth: Box = (x / width, y / height, min(1.0, (x + w) / width), min(1.0, (y + h) / height))
        answer = "[" + ", ".join(f"{value * self.scale:.6g}" for value in truth) + "]"
        return [
            replace(
                asked(
                    field_of(sentence, "sent_id", where),
                    worded(self.prompt, expression=text_of(sentence, "sent", where)),
                    [medium(folder, text_of(image, "file_name", where))],
                    [answer],
                    meta={"width": width, "height": height, **self.kept(box)},
                    origin=where,
                ),
                regions=(Region(box=truth),),
            )
            for sentence in list_of(reference, "sentences", where)
        ]

    def kept(self, box: Any) -> dict[str, Any]:
        """What else of the object's annotation a sample keeps."""
        return {}

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by sentence; the toolkit defines none."""
        return result_list(content, "sent_id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Acc@threshold in pixels, and mean IoU. A reply with other than four numbers is unparsed and wrong."""
        read = [None if prediction is None else self._box(prediction.answer) for prediction in predictions]
        boxes = [None if box is None else _pixels(box, sample) for box, sample in zip(read, samples, strict=True)]
        truths = [_pixels(sample.regions[0].bounds(), sample) for sample in samples]
        unparsed = read.count(None) - predictions.count(None)
        result = box_accuracy(boxes, truths, self.threshold, self.comparison, self.pixels, unparsed)
        counted = [[side * self.scale for side in box] for box in read if box is not None]
        return replace(result, missing=predictions.count(None), notes=scale_notes(counted, self.scale))

    def _box(self, reply: str) -> Box | None:
        numbers = [float(text) / self.scale for text in NUMBER.findall(reply)]
        return (numbers[0], numbers[1], numbers[2], numbers[3]) if len(numbers) == 4 else None


def _found(known: Mapping[int, tuple[str, Any]], reference: Any, name: str, where: str) -> Any:
    identifier = whole_of(reference, name, where)
    if identifier not in known:
        raise InputError(f"{where}: {name} {identifier} is not in instances.json beside it")
    return known[identifier][1]


def _pixels(box: Box, sample: Sample) -> Box:
    width, height = sample.meta["width"], sample.meta["height"]
    return box[0] * width, box[1] * height, box[2] * width, box[3] * height
