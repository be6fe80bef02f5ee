"""GQA: compositional questions made from scene graphs (Hudson & Manning, CVPR 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.errors import InputError
from vistune.evals.benchmark import result_list, worded
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.reading.annotations import asked, medium, text_of
from vistune.evals.reading.llava_answers import llava_answers
from vistune.evals.reading.sources import Content, load_json, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_exact
from vistune.sample import Sample


@dataclass(frozen=True)
class Gqa:
    """The balanced test-dev split has 12,578 questions."""

    prompt: str = SHORT_ANSWER

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "testdev_balanced_questions.json", "images": "images"}
    )
    answer_form: ClassVar[str] = "a word or phrase"
    result_form: ClassVar[str] = '[{"questionId", "prediction"}], or LLaVA\'s [{"question_id", "text"}]'
    ids: ClassVar[str] = "the question's key in the file"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a list": '[{"questionId": "201307251", "prediction": "no"}]',
            "LLaVA's answers.jsonl": '{"question_id": "201307251", "prompt": "Is it clear?", "text": "no"}',
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question; the file maps question ids to questions."""
        path = locate(source, self.files["annotations"])
        value = load_json(path)
        if not isinstance(value, dict):
            raise InputError(f"{path}: expected an object that maps question ids to questions")
        folder = path.parent / self.files["images"]
        return [
            asked(
                identifier,
                worded(self.prompt, question=text_of(record, "question", where)),
                [medium(folder, f"{text_of(record, 'imageId', where)}.jpg")],
                [text_of(record, "answer", where)],
                meta={"types": record.get("types", {})},
                origin=where,
            )
            for identifier, record in value.items()
            for where in [f"{path}: question {identifier}"]
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The challenge's result list, or LLaVA's answers."""
        return result_list(content, "questionId", "prediction") or llava_answers(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Exact match after the final periods and case are dropped."""
        return score_exact(samples, predictions, "gqa")
