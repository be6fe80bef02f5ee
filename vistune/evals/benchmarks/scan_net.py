"""ScanNet: semantic labels of the vertices of scanned rooms (Dai et al., CVPR 2017), mIoU over twenty classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from vistune.errors import InputError
from vistune.evals.metrics.segmentation import mean_iou
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium
from vistune.evals.reading.label_maps import Labels
from vistune.evals.reading.sources import Content, read_text
from vistune.evals.result import Result
from vistune.sample import Sample

VALID = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 24, 28, 33, 34, 36, 39)  # NYU40 numbers of the benchmark's classes
IGNORED, UNKNOWN = 255, len(VALID)


@dataclass(frozen=True)
class ScanNet:
    """The validation split has 312 rooms. Truth and results are text files, a class number (NYU40) a vertex of the mesh.

    Vertices of other classes do not count; a prediction of another class is wrong.
    """

    scene: str = "scans/{scene}/{scene}_vh_clean_2.ply"
    prompt: str = "Name the class of every vertex by its number."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "ground_truth", "scenes": "scans"})
    answer_form: ClassVar[str] = "a class number a line, one a vertex"
    result_form: ClassVar[str] = "a folder of {scene}.txt, a class number a line"
    ids: ClassVar[str] = "the scene's name"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"lines of scene0011_00.txt in a folder": "1\n2\n2\n13\n1\n1"})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a room, the numbers of its vertices as the answer."""
        root = Path(source)
        found = sorted((root / self.files["annotations"]).glob("*.txt"))
        if not found:
            raise InputError(f"{source}: has no {self.files['annotations']}/*.txt, which the benchmark's scripts export")
        samples = []
        for path in found:
            points = medium(root, self.scene.replace("{scene}", path.stem), "points")
            samples.append(asked(path.stem, self.prompt, [points], [read_text(path).strip()], origin=str(path)))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The benchmark's folder of results."""
        if content.form != "folder":
            return None
        texts = [
            (Path(name).stem, held) for name, held in content.value.items() if held.form == "text" and name.endswith(".txt")
        ]
        return [Prediction(name, "\n".join(held.value)) for name, held in texts] or None

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """mIoU over the classes that occur. An answer of another length, or with other words, is unparsed and wrong."""
        truths = [_placed(sample.answers[0], sample.where) for sample in samples]
        read: list[Labels | None] = []
        for prediction, truth in zip(predictions, truths, strict=True):
            numbers = None if prediction is None else _numbers(prediction.answer)
            fits = numbers is not None and numbers.shape == truth.shape
            read.append(_places(numbers, UNKNOWN) if numbers is not None and fits else None)
        result = mean_iou(read, truths, len(VALID), IGNORED)
        return replace(
            result, missing=predictions.count(None), unparsed=sum(numbers is None for numbers in read) - predictions.count(None)
        )


def _placed(text: str, where: str) -> Labels:
    numbers = _numbers(text)
    if numbers is None:
        raise InputError(f"{where}: holds other lines than whole numbers")
    return _places(numbers, IGNORED)


def _numbers(text: str) -> Labels | None:
    words = text.split()
    if not all(word.isascii() and word.isdecimal() and len(word) < 9 for word in words):
        return None
    return np.array([int(word) for word in words], np.int64)


def _places(numbers: Labels, other: int) -> Labels:
    """Class numbers as places among the benchmark's classes; `other` for the rest."""
    table = np.full(max(VALID) + 2, other, np.int64)
    table[list(VALID)] = np.arange(len(VALID))
    return np.asarray(table[np.minimum(numbers, max(VALID) + 1)])
