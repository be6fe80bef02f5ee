"""A-OKVQA: questions that need commonsense and world knowledge (Schwenk et al., ECCV 2022)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.data.fields.lettered import lettered
from vistune.evals.benchmark import field_of, worded
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import OPTION_LETTER, SHORT_ANSWER
from vistune.evals.reading.annotations import asked, letter_of, medium, records, text_of, texts_of, whole_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_letters
from vistune.sample import Sample


@dataclass(frozen=True)
class AOkvqa:
    """The validation split has 1,145 questions; `task` is one of its two settings and decides what is asked.

    Direct answers score min(matches / 3, 1) among the ten given ones; the questions marked as hard to answer directly are
    left out of that setting, as in the official code.
    """

    task: Literal["multiple_choice", "direct_answer"] = "multiple_choice"

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "aokvqa_v1p0_val.json", "images": "val2017"})
    answer_form: ClassVar[str] = "the option's letter (multiple choice), or a word or phrase (direct answer)"
    result_form: ClassVar[str] = '{question id: {"multiple_choice", "direct_answer"}}'
    ids: ClassVar[str] = "`question_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"an object": '{"22jbM6gDxdaMaunuzgrsBB": {"multiple_choice": "cigarette", "direct_answer": "cigarette"}}'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question of the task."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["images"]
        samples = []
        for where, record in records(path):
            question, image = text_of(record, "question", where), whole_of(record, "image_id", where)
            choices, direct = texts_of(record, "choices", where), texts_of(record, "direct_answers", where)
            media = [medium(folder, f"{image:012d}.jpg")]
            if self.task == "multiple_choice":
                prompt, shown = worded(OPTION_LETTER, question=question, options=lettered(choices)), choices
                truth = [letter_of(whole_of(record, "correct_choice_idx", where), choices, where)]
            else:
                prompt, shown, truth = worded(SHORT_ANSWER, question=question), [], direct
                if field_of(record, "difficult_direct_answer", where):
                    continue
            samples.append(asked(text_of(record, "question_id", where), prompt, media, truth, shown, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The leaderboard's object; a chosen option is given there as its text."""
        value = content.value
        if content.form != "json" or not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
            return None
        if not any(self.task in item for item in value.values()):
            return None
        return [
            Prediction(identifier, text_of(item, self.task, f"{content.path}: question {identifier}"))
            for identifier, item in value.items()
        ]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy of the chosen option (named by letter or by its text), or soft accuracy of the direct answer."""
        if self.task == "multiple_choice":
            return score_letters(samples, [_as_letter(*pair) for pair in zip(samples, predictions, strict=True)], "letter")
        scores = [
            0.0 if prediction is None else 100 * min(1.0, _matches(prediction.answer, sample.answers) / 3)
            for sample, prediction in zip(samples, predictions, strict=True)
        ]
        return Result.mean("a_okvqa/direct_answer", "accuracy", scores, missing=predictions.count(None))


def _matches(answer: str, direct: Sequence[str]) -> int:
    return [other.lower() for other in direct].count(answer.strip().lower())


def _as_letter(sample: Sample, prediction: Prediction | None) -> Prediction | None:
    if prediction is None or prediction.answer not in sample.choices:
        return prediction
    return Prediction(prediction.id, letter_of(sample.choices.index(prediction.answer), sample.choices, sample.where))
