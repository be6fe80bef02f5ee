"""TextVQA: questions whose answer is written in the image (Singh et al., Towards VQA Models That Can Read, CVPR 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.annotations import asked, medium, records, text_of, texts_of
from vistune.evals.benchmark import answers, field_of, fill, result_list
from vistune.evals.metrics.vqa_accuracy import vqa_accuracy
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.result import Result
from vistune.evals.sources import Content, locate
from vistune.sample import Sample


@dataclass(frozen=True)
class TextVqa:
    """The validation split has 5,000 questions, ten answers each. `rule` is one of the four of `vqa_accuracy`."""

    rule: str = "m4c"
    prompt: str = SHORT_ANSWER

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "TextVQA_0.5.1_val.json", "images": "train_images"})
    answer_form: ClassVar[str] = "a word or phrase"
    result_form: ClassVar[str] = '[{"question_id", "answer"}]'

    def read(self, source: str) -> list[Sample]:
        """A sample a question."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["images"]
        return [
            asked(
                field_of(record, "question_id", where),
                fill(self.prompt, question=text_of(record, "question", where)),
                [medium(folder, f"{text_of(record, 'image_id', where)}.jpg")],
                texts_of(record, "answers", where),
                origin=where,
            )
            for where, record in records(path, "data")
        ]

    def recognise(self, content: Content) -> list[Prediction] | None:
        """The challenge's result list."""
        return result_list(content, "question_id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Soft accuracy."""
        return vqa_accuracy(answers(predictions), [sample.answers for sample in samples], self.rule)
