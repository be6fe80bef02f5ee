"""DocVQA: questions about scanned documents (Mathew et al., WACV 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import answers, field_of, result_list, worded
from vistune.evals.metrics.anls import anls
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.reading.annotations import asked, medium, records, text_of, texts_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import with_means
from vistune.sample import Sample


@dataclass(frozen=True)
class DocVqa:
    """The validation split has 5,349 questions; the test answers are hidden."""

    rule: str = "pix2struct"
    prompt: str = SHORT_ANSWER

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "val_v1.0_withQT.json", "images": "documents"})
    answer_form: ClassVar[str] = "a word or phrase, as written in the document"
    result_form: ClassVar[str] = '[{"questionId", "answer"}]'
    ids: ClassVar[str] = "`questionId`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"questionId": 49153, "answer": "0.28"}]'})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question; `image` names the file with its folder."""
        path = locate(source, self.files["annotations"])
        return [
            asked(
                field_of(record, "questionId", where),
                worded(self.prompt, question=text_of(record, "question", where)),
                [medium(path.parent, text_of(record, "image", where))],
                texts_of(record, "answers", where),
                meta={"type": texts_of(record, "question_types", where)[0]} if record.get("question_types") else {},
                origin=where,
            )
            for where, record in records(path, "data")
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The challenge's result list."""
        return result_list(content, "questionId", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """ANLS, then by the first of each question's types."""
        return with_means(anls(answers(predictions), [sample.answers for sample in samples], self.rule), samples, "type")
