"""InfographicVQA: questions about infographics (Mathew et al., WACV 2022)."""

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
from vistune.sample import Sample


@dataclass(frozen=True)
class InfoVqa:
    """The validation split has 2,801 questions; the test answers are hidden."""

    rule: str = "pix2struct"
    prompt: str = SHORT_ANSWER

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "infographicsVQA_val_v1.0_withQT.json", "images": "infographicsvqa_images"}
    )
    answer_form: ClassVar[str] = "a word or phrase"
    result_form: ClassVar[str] = '[{"questionId", "answer"}]'
    ids: ClassVar[str] = "`questionId`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"questionId": 98313, "answer": "Pinterest"}]'})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["images"]
        return [
            asked(
                field_of(record, "questionId", where),
                worded(self.prompt, question=text_of(record, "question", where)),
                [medium(folder, text_of(record, "image_local_name", where))],
                texts_of(record, "answers", where),
                origin=where,
            )
            for where, record in records(path, "data")
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The challenge's result list."""
        return result_list(content, "questionId", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """ANLS."""
        return anls(answers(predictions), [sample.answers for sample in samples], self.rule)
