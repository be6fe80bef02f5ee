"""TextVQA: questions whose answer is written in the image (Singh et al., Towards VQA Models That Can Read, CVPR 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import answers, result_list, worded
from vistune.evals.metrics.vqa_accuracy import vqa_accuracy
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.reading.annotations import asked, label_of, medium, records, text_of, texts_of
from vistune.evals.reading.llava_answers import by_question, llava_answers
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class TextVqa:
    """The validation split has 5,000 questions, ten answers each. `rule` is one of the four of `vqa_accuracy`."""

    rule: str = "m4c"
    prompt: str = SHORT_ANSWER

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "TextVQA_0.5.1_val.json", "images": "train_images"})
    answer_form: ClassVar[str] = "a word or phrase"
    result_form: ClassVar[str] = '[{"question_id", "answer"}], or LLaVA\'s [{"question_id", "prompt", "text"}]'
    ids: ClassVar[str] = "`question_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a list": '[{"question_id": 34602, "answer": "dakota"}]',
            "LLaVA's answers.jsonl": (
                '{"question_id": "003a8ae2ef43b901", "prompt": "what is the brand of this camera?", "text": "dakota"}'
            ),
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["images"]
        return [
            asked(
                label_of(record, "question_id", where),
                worded(self.prompt, question=text_of(record, "question", where)),
                [medium(folder, f"{text_of(record, 'image_id', where)}.jpg")],
                texts_of(record, "answers", where),
                meta={"image_id": record["image_id"], "question": record["question"]},
                origin=where,
            )
            for where, record in records(path, "data")
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The challenge's result list, or LLaVA's answers, whose ids are the pictures'."""
        found = llava_answers(content)
        if found is not None:
            return by_question(found, samples, lambda sample: str(sample.meta["image_id"]))
        return result_list(content, "question_id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Soft accuracy."""
        return vqa_accuracy(answers(predictions), [sample.answers for sample in samples], self.rule)
