"""SLAKE: questions about radiology images with knowledge (Liu et al., ISBI 2021), in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.evals.benchmark import answers, field_of, result_list, worded
from vistune.evals.metrics.open_closed import open_closed
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.reading.annotations import asked, medium, one_of, records, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class Slake:
    """The test file has 2,094 questions, 1,061 of them English, which is what most papers report."""

    language: Literal["en", "zh"] = "en"
    prompt: str = SHORT_ANSWER

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "test.json", "images": "imgs"})
    answer_form: ClassVar[str] = "yes or no (closed questions), or a word or phrase"
    result_form: ClassVar[str] = '[{"qid", "answer"}]'
    ids: ClassVar[str] = "`qid`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"qid": 11934, "answer": "x-ray"}]'})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question in the language."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["images"]
        return [
            asked(
                field_of(record, "qid", where),
                worded(self.prompt, question=text_of(record, "question", where)),
                [medium(folder, text_of(record, "img_name", where))],
                [text_of(record, "answer", where)],
                meta={"closed": one_of(record, "answer_type", ("OPEN", "CLOSED"), where) == "CLOSED"},
                origin=where,
            )
            for where, record in records(path)
            if one_of(record, "q_lang", ("en", "zh"), where) == self.language
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by question id; the authors publish no format of their own."""
        return result_list(content, "qid", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Closed accuracy and open recall."""
        closed = [sample.meta["closed"] for sample in samples]
        return open_closed(answers(predictions), [sample.answers[0] for sample in samples], closed)
