"""LAMM-Benchmark: eleven tasks on pictures and three on scanned rooms (Yin et al., LAMM, NeurIPS 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np

from vistune.data.fields.typed import as_list, as_number
from vistune.data.media.image import image_size
from vistune.errors import InputError
from vistune.evals.benchmark import answers, field_of, result_list
from vistune.evals.metrics import lamm
from vistune.evals.metrics.captions import captions
from vistune.evals.metrics.counting import count_error
from vistune.evals.metrics.inputs import chosen
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, label_of, list_of, medium, records, text_of, texts_of, whole_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result, ratio
from vistune.sample import Sample

HALF = 0.5
TASKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "caption": ("Caption_flickr30k", "sentences"),
        "cifar10": ("Classification_CIFAR10", "label"),
        "hair": ("Facial_Classification_CelebA(Hair)", "attr"),
        "smile": ("Facial_Classification_CelebA(Smile)", "attr"),
        "ucmerced": ("Fine-grained_Classification_UCMerced", "label"),
        "counting": ("Counting_FSC147", "num"),
        "detection": ("Detection_VOC2012", "object"),
        "ocr": ("OCR_SVT", "word_list"),
        "ai2d": ("VQA_AI2D", "gt_choice"),
        "scienceqa": ("VQA_ScienceQA", "gt_choice"),
        "locating": ("Locating_VOC2012", "object"),
        "pose": ("Locating_LSP", "gt_joints"),
        "scannet": ("Detection_ScanNet", "object"),
        "scanrefer": ("VG_ScanRefer", "object"),
        "scanqa": ("VQA_ScanQA_multiplechoice", "gt_choice"),
    }
)
"""A task -> its file in `meta_file`, and the field of the truth."""

CHOICES = ("ai2d", "scienceqa", "scanqa")
SPACE = ("scannet", "scanrefer", "scanqa")


@dataclass(frozen=True)
class LammBenchmark:
    """One task at a time, by the reading of the released code. `rule`: how a reply names a label, `words` or `wordnet`.

    `wordnet` is the official rule and takes nltk with its WordNet data; `words` asks for the label itself or its plural.
    Detection is recall over all objects at IoU .5, in space mAR likewise; counting is the absolute error, at most the count.
    """

    task: Literal[
        "caption", "cifar10", "hair", "smile", "ucmerced", "counting", "detection", "ocr", "ai2d", "scienceqa", "locating",
        "pose", "scannet", "scanrefer", "scanqa",
    ] = "cifar10"  # fmt: skip
    rule: str = "words"

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "meta_file/Classification_CIFAR10.json"})
    answer_form: ClassVar[str] = "as the task's question asks: a name, a letter, a number, boxes"
    result_form: ClassVar[str] = '[{"id", "answer"}]'
    ids: ClassVar[str] = "`id`, or the record's place from 0"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"the answers file": '[{"id": "0", "answer": "It shows an airplane."}]'}
    )
    departs: ClassVar[str] = "`rule=words` asks for the label itself or its plural; `rule=wordnet` is the official rule"

    def read(self, source: str) -> list[Sample]:
        """A sample a record, named by its `id`, or by its place where it has none."""
        name, truth = TASKS[self.task]
        path = locate(source, f"meta_file/{name}.json")
        root = path.parent.parent
        samples = []
        for number, (where, record) in enumerate(records(path)):
            if self.task in SPACE:
                shown = medium(root, text_of(record, "pcl", where).removeprefix("./"), "points")
            else:
                shown = medium(root, text_of(record, "image", where))
            identifier = label_of(record, "id", where) if isinstance(record, dict) and "id" in record else str(number)
            kept, answers_, choices = self._truth(record, truth, where)
            question = text_of(record, "query", where)
            samples.append(asked(identifier, question, [shown], answers_, choices, {"truth": kept}, where))
        return samples

    def _truth(self, record: Any, name: str, where: str) -> tuple[Any, list[str], list[str]]:
        """What scoring reads of a record, the answers to be taught, the options."""
        if self.task in CHOICES:
            choices, right = texts_of(record, "gt_choices", where), whole_of(record, name, where)
            if right >= len(choices) or len(choices) > len(lamm.LETTERS):
                raise InputError(f"{where}: the right option is number {right} of {len(choices)}")
            return right, [f"({lamm.LETTERS[right]})"], choices
        if self.task in ("caption", "ocr"):
            words = texts_of(record, name, where)
            return words, words if self.task == "caption" else [" ".join(words)], []
        if self.task == "counting":
            return whole_of(record, name, where), [str(whole_of(record, name, where))], []
        if self.task == "pose":
            points = [numbers_in_list(point, 2, where) for point in list_of(record, name, where)]
            if not points:
                raise InputError(f"{where}: the person has no joint")
            middle = [(min(axis) + max(axis)) / 2 for axis in zip(*points, strict=True)]
            return points, [str(middle)], []
        if self.task == "scanrefer":
            box = numbers_in_list(field_of(record, name, where), 6, where)
            return box, [str(box)], []
        if name == "object":
            objects = [self._object(one, where) for one in list_of(record, name, where)]
            return objects, [self._told(objects)], []
        label = label_of(record, name, where)
        return label, [label], []

    def _object(self, record: Any, where: str) -> lamm.Named:
        box = numbers_in_list(field_of(record, "bbox", where), 6 if self.task in SPACE else 4, where)
        return text_of(record, "label", where), tuple(box)

    def _told(self, objects: Sequence[lamm.Named]) -> str:
        if self.task == "locating":
            return " ".join(f"{name} [{(box[0] + box[2]) / 2:g}, {(box[1] + box[3]) / 2:g}]" for name, box in objects)
        return " ".join(f"The {name} object is at {list(box)}." for name, box in objects)

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The answers file of the released evaluation."""
        return result_list(content, "id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The task's number."""
        given, truths = answers(predictions), [sample.meta["truth"] for sample in samples]
        if self.task == "caption":
            return captions(given, truths)
        if self.task == "counting":
            return count_error(given, truths, "capped")
        named = chosen(lamm.RULES, self.rule, "LAMM-Benchmark")()
        counts = [
            self._right(reply or "", truth, sample, named) for reply, truth, sample in zip(given, truths, samples, strict=True)
        ]
        right, owed = np.array(counts, dtype=np.float64).reshape(-1, 2).T
        items = 100 * np.divide(right, owed, out=np.zeros(len(owed)), where=owed > 0)
        rule = (
            f"lamm/{self.rule if self.task in ('cifar10', 'hair', 'smile', 'detection', 'locating', 'scannet') else 'official'}"
        )
        if self.task in ("detection", "locating", "scannet"):
            total = 100 * float(right.sum() / owed.sum()) if owed.sum() else float("nan")
            name = {"detection": "recall@0.50", "locating": "accuracy", "scannet": "mAR"}[self.task]
            return Result(rule, {name: total}, items, ratio(right, owed, 100), missing=predictions.count(None))
        return Result.mean(rule, "mAR" if self.task == "scanrefer" else "accuracy", items, missing=predictions.count(None))

    def _right(self, reply: str, truth: Any, sample: Sample, named: lamm.Names) -> tuple[float, float]:
        """What of a sample is right, and how much there is."""
        if self.task in CHOICES:
            return float(lamm.right_choice(reply, sample.choices, truth)), 1.0
        if self.task == "ocr":
            return lamm.words_read(reply, truth), 1.0
        if self.task == "detection":
            return float(lamm.matched(truth, lamm.detections_in(reply), HALF, named)), float(len(truth))
        if self.task == "locating":
            points = lamm.numbers_in(reply, 2)
            return float(sum(named(label, reply) and lamm.inside(points, box) for label, box in truth)), float(len(truth))
        if self.task == "pose":
            width, height = image_size(sample.media[0], sample.where)
            columns, lines = zip(*truth, strict=True)
            points = [(x * width, y * height) for x, y in lamm.numbers_in(reply, 2)]
            return float(lamm.inside(points, (min(columns), min(lines), max(columns), max(lines)))), 1.0
        if self.task == "scannet":
            return float(lamm.found_in_space(truth, reply, HALF, named)), float(len(truth))
        if self.task == "scanrefer":
            boxes = lamm.numbers_in(reply, 6)
            return float(bool(boxes) and lamm.box_iou_3d(truth, boxes[0]) > HALF), 1.0
        if self.task == "ucmerced":
            return float(truth in reply), 1.0
        return float(named(truth, reply)), 1.0


def numbers_in_list(value: Any, count: int, where: str) -> list[float]:
    """The first so many numbers of a list."""
    numbers = [as_number(one, where, "a coordinate") for one in as_list(value, where, "coordinates")]
    if len(numbers) < count:
        raise InputError(f"{where}: {len(numbers)} coordinates, expected {count}")
    return numbers[:count]
