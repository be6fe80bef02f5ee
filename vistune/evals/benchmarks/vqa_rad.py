"""VQA-RAD: clinicians' questions about radiology images (Lau et al., Scientific Data 2018)."""

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

PHRASES = ("freeform", "para", "test_freeform", "test_para")


@dataclass(frozen=True)
class VqaRad:
    """One file holds both splits: a test question's `phrase_type` begins with `test`. The test split has 451 questions."""

    split: Literal["train", "test"] = "test"
    prompt: str = SHORT_ANSWER

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "VQA_RAD Dataset Public.json", "images": "VQA_RAD Image Folder"}
    )
    answer_form: ClassVar[str] = "yes or no (closed questions), or a word or phrase"
    result_form: ClassVar[str] = '[{"qid", "answer"}]'
    ids: ClassVar[str] = "`qid`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"qid": 1, "answer": "no"}]'})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question of the split; some answers are numbers in the file."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["images"]
        return [
            asked(
                field_of(record, "qid", where),
                worded(self.prompt, question=text_of(record, "question", where)),
                [medium(folder, text_of(record, "image_name", where))],
                [str(field_of(record, "answer", where)).strip()],
                meta={"closed": one_of(record, "answer_type", ("OPEN", "CLOSED"), where) == "CLOSED"},
                origin=where,
            )
            for where, record in records(path)
            if one_of(record, "phrase_type", PHRASES, where).startswith("test") == (self.split == "test")
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by question id; the authors publish no format of their own."""
        return result_list(content, "qid", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Closed accuracy and open recall."""
        closed = [sample.meta["closed"] for sample in samples]
        return open_closed(answers(predictions), [sample.answers[0] for sample in samples], closed)
