"""MATH-Vision: problems of mathematics competitions with figures (Wang et al., NeurIPS 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.data.fields.lettered import LETTERS, lettered
from vistune.errors import InputError
from vistune.evals.benchmark import answers, field_of, result_list, worded
from vistune.evals.metrics.math_answer import Problem, math_answer
from vistune.evals.metrics.math_vision import math_vision
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, label_of, medium, records, text_of, texts_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_stored, with_means
from vistune.sample import Sample


@dataclass(frozen=True)
class MathVision:
    """The test split has 3,040 problems in 16 subjects and 5 levels; `testmini.jsonl` has 304 of them.

    - `official`: the reading and the equality of the official evaluation, of which only arithmetic is computed
    - `value`: our reading, the last box or what follows `answer is`, and more forms of one value (`120°`, `20%`)
    - `stored`: the verdicts (`correct`) that official output lines carry
    """

    rule: Literal["official", "value", "stored"] = "official"
    prompt: str = "{question}\nReason step by step and put the final answer, or the option's letter, in \\boxed{}."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "test.jsonl", "images": "images"})
    answer_form: ClassVar[str] = "free text whose last \\boxed{} holds a letter or a value"
    result_form: ClassVar[str] = '[{"id", "response"}]'
    ids: ClassVar[str] = "`id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a line": '{"id": "1", "response": "They are \\\\boxed{7}."}'})
    departs: ClassVar[str] = "a small arithmetic parser instead of `eval`"

    def read(self, source: str) -> list[Sample]:
        """A sample a problem; `<image1>` in its text is where the figure belongs and is left out of it."""
        path = locate(source, self.files["annotations"])
        samples = []
        for where, record in records(path):
            options, answer = texts_of(record, "options", where), text_of(record, "answer", where)
            if options and answer not in LETTERS[: len(options)]:
                raise InputError(f"{where}: the answer {answer!r} is the letter of none of the {len(options)} options")
            question = text_of(record, "question", where).replace("<image1>", "").strip()
            question = f"{question}\n{lettered(options)}" if options else question
            samples.append(
                asked(
                    field_of(record, "id", where),
                    worded(self.prompt, question=question),
                    [medium(path.parent, text_of(record, "image", where))],
                    [answer],
                    options,
                    {"subject": text_of(record, "subject", where), "level": f"level {label_of(record, 'level', where)}"},
                    where,
                )
            )
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The lines that the official evaluation reads."""
        return result_list(content, "id", "response")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy over all problems, by subject and by level; `details` hold the cells of the official result file."""
        problems = [Problem(sample.answers[0], sample.choices) for sample in samples]
        if self.rule == "stored":
            result = score_stored("math_vision", "correct", predictions)
        elif self.rule == "official":
            result = math_vision(answers(predictions), problems)
        else:
            result = math_answer(answers(predictions), problems)
        return replace(with_means(result, samples, "subject", "level"), details={"cells": _cells(result, samples)})


def _cells(result: Result, samples: Sequence[Sample]) -> dict[str, str]:
    """Every cell of the official result file under its name there: `{"algebra_level1": "1/7=14.29%"}`."""
    members: dict[str, list[bool]] = {}
    for right, sample in zip(result.items > 0, samples, strict=True):
        subject, level = sample.meta["subject"], sample.meta["level"].replace(" ", "")
        for name in ("-all", f"-{level}", subject, f"{subject}_{level}", f"-{level}_{subject}"):
            members.setdefault(name, []).append(bool(right))
    return {
        name: f"{sum(right)}/{len(right)}={round(100 * (sum(right) / len(right)), 2)}%"
        for name, right in sorted(members.items())
    }
