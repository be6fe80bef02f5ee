"""LLMDoc: 100 questions on documents, tables, charts, web pages, graded A to D by people (Ye et al., mPLUG-DocOwl, 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import prediction_of
from vistune.evals.metrics.grades import grades
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium, records, text_of
from vistune.evals.reading.grades import graded
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class LlmDoc:
    """Lines have no ids: a question is named by its picture and its text. Grades as in `owl_eval`."""

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "LLMDoc.jsonl", "images": "images"})
    answer_form: ClassVar[str] = "free text"
    result_form: ClassVar[str] = '{"image", "question", "answer", "grade"} a line'
    ids: ClassVar[str] = "the picture's name and the question: `images/chart_37.png: Which metal costs most?`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a line of the answers file": (
                '{"image": "images/chart_37.png", "question": "Which metal costs most?", "answer": "Zinc", "grade": "A"}'
            )
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a line; its picture's kind (chart, table, doc, ...) is the file name's beginning."""
        path = locate(source, self.files["annotations"])
        samples = []
        for where, record in records(path):
            image, question = text_of(record, "image", where), text_of(record, "question", where)
            kind = image.rpartition("/")[2].rpartition("_")[0]
            meta = {"kind": kind or "other"}
            samples.append(asked(f"{image}: {question}", question, [medium(path.parent, image)], meta=meta, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The official answers file, a grade added to each line."""
        value = [content.value] if isinstance(content.value, dict) else content.value
        if content.form == "folder" or not isinstance(value, list) or not value or not isinstance(value[0], dict):
            return None
        if not {"image", "question", "answer"} <= value[0].keys():
            return None
        named = [
            {**record, "name": f"{text_of(record, 'image', where)}: {text_of(record, 'question', where)}"}
            for index, record in enumerate(value)
            for where in [content.record(index)]
        ]
        return graded([prediction_of(record, "name", "answer", content.record(index)) for index, record in enumerate(named)])

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Share of A and B first, then of every grade, then of A and B by kind of picture."""
        return grades("llm-doc", predictions, [[str(sample.meta["kind"])] for sample in samples])
