"""MMVP: pairs of images that CLIP confuses (Tong et al., Eyes Wide Shut, CVPR 2024)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from vistune.data.fields.lettered import lettered
from vistune.errors import InputError
from vistune.evals.benchmark import result_list, worded
from vistune.evals.metrics.groups import all_right
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import OPTION_LETTER
from vistune.evals.reading.annotations import asked, medium, rows, text_of, whole_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result, weighted_mean
from vistune.evals.scorers import score_letters
from vistune.sample import Sample

_OPTION = re.compile(r"\(([a-z])\)\s*([^(]*)")


@dataclass(frozen=True)
class Mmvp:
    """300 questions in 150 consecutive pairs; a pair is solved when both answers are right.

    The paper lets GPT-4 compare reply and answer; here the letter is read by rule, and the judge `qa_match` does the other.
    """

    rule: str = "letter"
    prompt: str = OPTION_LETTER

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "Questions.csv", "images": "MMVP Images"})
    answer_form: ClassVar[str] = "the option's letter"
    result_form: ClassVar[str] = '[{"question_id", "response"}]'
    ids: ClassVar[str] = "the question's number, from 1"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a line": '{"question_id": 1, "response": "(a)"}'})
    departs: ClassVar[str] = "a rule reads the option; the judge `qa_match` does what the paper's grader does"

    def read(self, source: str) -> list[Sample]:
        """A sample a question; image k belongs to question k, questions 2k - 1 and 2k are a pair."""
        path = locate(source, self.files["annotations"])
        samples = []
        for where, row in rows(path):
            index, options = whole_of(row, "Index", where), text_of(row, "Options", where)
            choices = [text.strip() for _, text in _OPTION.findall(options)]
            truth = text_of(row, "Correct Answer", where).strip("() ").upper()
            if len(choices) < 2:
                raise InputError(f"{where}: options {options!r} are not of the form '(a) ... (b) ...'")
            prompt = worded(self.prompt, question=text_of(row, "Question", where), options=lettered(choices))
            image = medium(path.parent / self.files["images"], f"{index}.jpg")
            samples.append(asked(index, prompt, [image], [truth], choices, {"pair": (index - 1) // 2}, where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The lines that the official evaluation writes."""
        return result_list(content, "question_id", "response")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Share of solved pairs, then of right answers; both questions of a pair carry the pair's verdict."""
        single = score_letters(samples, predictions, self.rule)
        pairs = np.array([sample.meta["pair"] for sample in samples], dtype=np.int64)
        solved = 100 * all_right(single.items, pairs)[pairs]
        return replace(
            single,
            rule=f"mmvp/pairs/{self.rule}",
            values={"pairs": float(solved.mean()), "questions": single.headline},
            items=solved,
            statistic=weighted_mean(solved),
            clusters=pairs,
        )
