"""VQAv2: open questions about COCO images (Goyal et al., Making the V in VQA Matter, CVPR 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import answers, result_list, worded
from vistune.evals.metrics.vqa_accuracy import vqa_accuracy
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, label_of, list_of, medium, text_of
from vistune.evals.reading.llava_answers import llava_answers
from vistune.evals.reading.sources import Content, companion, load_json, locate
from vistune.evals.result import Result
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
    result_form: ClassVar[str] = '[{"question_id", "answer"}], or LLaVA\'s [{"question_id", "text"}]'
    ids: ClassVar[str] = "`question_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a list": '[{"question_id": 262148000, "answer": "down"}]',
            "LLaVA's answers.jsonl": '{"question_id": 262148000, "prompt": "Where is he looking?", "text": "down"}',
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question; the ten annotators' answers are its answers."""
        path = locate(source, self.files["annotations"])
        questions_path = companion(source, self.files["questions"])
        questions = {} if questions_path is None else _questions(load_json(questions_path), str(questions_path))
        samples = []
        for index, record in enumerate(list_of(load_json(path), "annotations", str(path))):
            where = f"{path}: annotation {index + 1}"
            identifier = label_of(record, "question_id", where)
            question = questions.get(identifier)
            samples.append(
                asked(
                    identifier,
                    None if question is None else worded(self.prompt, question=question),
                    [medium(path.parent / self.files["images"], _picture(label_of(record, "image_id", where)))],
                    [label_of(answer, "answer", where) for answer in list_of(record, "answers", where)],
                    meta={key: record[key] for key in ("question_type", "answer_type") if key in record},
                    origin=where,
                )
            )
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The challenge's result list, or LLaVA's answers."""
        return result_list(content, "question_id", "answer") or llava_answers(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Soft accuracy."""
        return vqa_accuracy(answers(predictions), [sample.answers for sample in samples], self.rule)


def _picture(identifier: str) -> str:
    """The file of a COCO image id; sets in VQA's layout that have other pictures name them by their files."""
    if identifier.isdecimal():
        return f"COCO_val2014_{int(identifier):012d}.jpg"
    return identifier if Path(identifier).suffix else f"{identifier}.jpg"


def _questions(value: object, where: str) -> dict[str, str]:
    records = list_of(value, "questions", where)
    return {label_of(record, "question_id", where): text_of(record, "question", where) for record in records}
