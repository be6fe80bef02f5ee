"""OwlEval: 82 questions on 50 pictures, answers graded A to D by people (Ye et al., mPLUG-Owl, 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import result_list
from vistune.evals.metrics.grades import grades
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, key_of, medium, records, text_of
from vistune.evals.reading.grades import graded
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Sample

ABILITIES = {
    "a": "instruction understanding",
    "b": "visual understanding",
    "c": "optical character recognition",
    "d": "knowledge transfer",
    "e": "reasoning",
    "f": "multi-turn dialogue",
}


@dataclass(frozen=True)
class OwlEval:
    """Grades are the number: the extra `grade` of a prediction, or the field `grade` of a line of the official answers file.

    `vistune study` collects them from people. The headline is the share of A and B, the answers that follow the instruction.
    """

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "questions.jsonl", "images": "cases"})
    answer_form: ClassVar[str] = "free text"
    result_form: ClassVar[str] = '{"image", "question_id", "question", "answer", "model_id", "grade"} a line'
    ids: ClassVar[str] = "`question_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a line of the answers file": (
                '{"image": "1.jpg", "question_id": 1, "question": "What is funny about this image?", '
                '"answer": "A man irons on a taxi.", "model_id": "m", "grade": "A"}'
            )
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question, its abilities in `meta`."""
        path = locate(source, self.files["annotations"])
        return [
            asked(
                key_of(record, "question_id", where),
                text_of(record, "question", where),
                [medium(path.parent / self.files["images"], text_of(record, "image", where))],
                meta={"abilities": [ABILITIES.get(one, one) for one in text_of(record, "ability", where).split(",")]},
                origin=where,
            )
            for where, record in records(path)
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The official answers file, a grade added to each line."""
        return graded(result_list(content, "question_id", "answer"))

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Share of A and B first, then of every grade, then of A and B by ability."""
        return grades("owl-eval", predictions, [[str(one) for one in sample.meta["abilities"]] for sample in samples])
