"""VQAv2: open questions about COCO images (Goyal et al., Making the V in VQA Matter, CVPR 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.annotations import asked, medium
from vistune.evals.benchmark import answers, field_of, fill, result_list
from vistune.evals.metrics.vqa_accuracy import vqa_accuracy
from vistune.evals.prediction import Prediction
from vistune.evals.result import Result
from vistune.evals.sources import Content, companion, load_json, locate
from vistune.sample import Sample


@dataclass(frozen=True)
class VqaV2:
    """`rule` is one of the four of `vqa_accuracy`; `prompt` is LLaVA-1.5's."""

    rule: str = "m4c"
    prompt: str = "{question}\nAnswer the question using a single word or phrase."

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "annotations": "v2_mscoco_val2014_annotations.json",
            "questions": "v2_OpenEnded_mscoco_val2014_questions.json",
            "images": "val2014",
        }
    )
    answer_form: ClassVar[str] = "a word or phrase"
    result_form: ClassVar[str] = '[{"question_id", "answer"}]'

    def read(self, source: str) -> list[Sample]:
        """A sample a question; the ten annotators' answers are its answers."""
        path = locate(source, self.files["annotations"])
        questions_path = companion(source, self.files["questions"])
        questions = {} if questions_path is None else _questions(load_json(questions_path), str(questions_path))
        samples = []
        for index, record in enumerate(field_of(load_json(path), "annotations", str(path))):
            where = f"{path}: annotation {index + 1}"
            identifier = field_of(record, "question_id", where)
            question = questions.get(identifier)
            samples.append(
                asked(
                    identifier,
                    None if question is None else fill(self.prompt, question=question),
                    [
                        medium(
                            path.parent / self.files["images"], f"COCO_val2014_{field_of(record, 'image_id', where):012d}.jpg"
                        )
                    ],
                    [field_of(answer, "answer", where) for answer in field_of(record, "answers", where)],
                    meta={key: record[key] for key in ("question_type", "answer_type") if key in record},
                    origin=where,
                )
            )
        return samples

    def recognise(self, content: Content) -> list[Prediction] | None:
        """The challenge's result list."""
        return result_list(content, "question_id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Soft accuracy."""
        return vqa_accuracy(answers(predictions), [sample.answers for sample in samples], self.rule)


def _questions(value: object, where: str) -> dict[object, str]:
    records = field_of(value, "questions", where)
    return {field_of(record, "question_id", where): field_of(record, "question", where) for record in records}
