"""PointQA: questions that only a point in the picture makes clear (Mani et al., Point and Ask, 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from vistune.data.fields.regions.boxes import unit_point
from vistune.data.media.image import image_size
from vistune.errors import InputError
from vistune.evals.benchmark import field_of, result_list
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.reading.annotations import asked, label_of, list_of, medium, text_of
from vistune.evals.reading.sources import Content, load_json, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_exact
from vistune.sample import MediaRef, Region, Sample, Text, Turn

PARTS = {
    "local": ("LocalQA/localqa_dataset.json", "LocalQA/localqa_{split}_imgs.json"),
    "looktwice": ("LookTwiceQA/looktwiceqa_dataset.json", "LookTwiceQA/looktwiceqa_{split}_imgs.json"),
}


@dataclass(frozen=True)
class PointQa:
    """`part`: LocalQA (splits val, testdev, testfinal) or LookTwiceQA (val, test), asked by `level` of ambiguity.

    The pictures' sizes are needed: points are in pixels. Accuracy is exact match of the lower-cased answer.
    """

    part: Literal["local", "looktwice"] = "local"
    split: str = "testfinal"
    level: Literal["obj", "super", "general"] = "super"

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "Datasets/LocalQA/localqa_dataset.json", "images": "VG_100K"}
    )
    answer_form: ClassVar[str] = "a word"
    result_form: ClassVar[str] = '[{"question_id", "answer"}], question_id the image and the question\'s place: 2363870/0'
    ids: ClassVar[str] = "the image's id and the question's place among the image's, one a point, from 0: `2363870/0`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"question_id": "2/0", "answer": "blue"}]'})
    departs: ClassVar[str] = (
        "the release scores by its own vocabulary of answers; here an answer is compared as it is, case and final periods aside"
    )

    def read(self, source: str) -> list[Sample]:
        """A sample a point, in the order of the split's list of images."""
        dataset, listed = PARTS[self.part]
        path = locate(source, f"Datasets/{dataset}")
        names = load_json(path.parent.parent / listed.replace("{split}", self.split))
        value = load_json(path)
        if not isinstance(names, list) or not isinstance(value, dict):
            raise InputError(f"{path}: expected an object of images, and beside it a list of the split's")
        folder = path.parents[2] / self.files["images"]
        return [sample for name in map(str, names) if name in value for sample in self._image(path, folder, name, value[name])]

    def _image(self, path: Path, folder: Path, name: str, questions: Any) -> Iterator[Sample]:
        where = f"{path}: image {name}"
        if not isinstance(questions, list):
            raise InputError(f"{where}: expected a list of questions")
        image = medium(folder, f"{name}.jpg")
        number = 0
        for record in questions:
            for question, point, answer in self._pointed(record, where):
                place = unit_point([field_of(point, axis, where) for axis in "xy"], where, image_size(image, where))
                region = Region(point=place)
                parts = (MediaRef(0), Text(f"{question} "), region, Text(SHORT_ANSWER.partition("{question}")[2]))
                sample = asked(f"{name}/{number}", question, [image], [answer], origin=where)
                meta = {"question": question}
                yield Sample(sample.id, sample.media, (Turn("user", parts),), (region,), (answer,), (), meta, where)
                number += 1

    def _pointed(self, record: Any, where: str) -> Iterator[tuple[str, Any, str]]:
        if self.part == "looktwice":
            yield (
                text_of(record, f"{self.level}_question", where),
                field_of(record, "point", where),
                label_of(record, "ans", where),
            )
            return
        for point in list_of(record, "points", where):
            yield text_of(record, "question", where), point, label_of(point, "ans", where)

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by question; the authors publish no format."""
        return result_list(content, "question_id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy."""
        return score_exact(samples, predictions, "gqa")
