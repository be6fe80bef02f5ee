"""MMMU-Pro: MMMU with more options, and with the question inside the image (Yue et al., ACL 2025)."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from vistune.data.fields.lettered import lettered
from vistune.errors import InputError
from vistune.evals.annotations import asked, pictures_of, text_of
from vistune.evals.benchmark import fill, result_list
from vistune.evals.hub import hub_rows
from vistune.evals.metrics.mmmu import parse_choice
from vistune.evals.prediction import Prediction
from vistune.evals.result import Result
from vistune.evals.scorers import with_means
from vistune.evals.sources import Content
from vistune.sample import Sample

_PLACE = re.compile(r"<image (\d)>")


@dataclass(frozen=True)
class MmmuPro:
    """1,730 questions in each of three settings, which are the folders of the download.

    Reading a reply as the official code does: the one letter after the last `Answer:`, else MMMU's rule. Where that finds
    nothing the official code draws an option; here the answer is unparsed and wrong.
    """

    setting: Literal["standard (10 options)", "standard (4 options)", "vision"] = "standard (10 options)"
    prompt: str = "{question}\n{options}\nThink step by step, then end with a line 'Answer: X', where X is the option's letter."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "standard (10 options)/test-*.parquet"})
    answer_form: ClassVar[str] = "free text that ends with 'Answer: X'"
    result_form: ClassVar[str] = '[{"id", "response"}]'

    def read(self, source: str) -> list[Sample]:
        """A sample a row; `source` is the folder of the settings, or one parquet file."""
        return [self._sample(row, where) for where, row in hub_rows(source, f"{self.setting}/test-*.parquet", "test")]

    def _sample(self, row: Any, where: str) -> Sample:
        options = _options(text_of(row, "options", where), where)
        if self.setting == "vision":
            question, media = "Answer the question in the image.", pictures_of(row, "image", where)
        else:
            question, media = text_of(row, "question", where), pictures_of(row, "image_", where)
        text = fill(self.prompt, question=_PLACE.sub(r"(image \1)", question), options=lettered(options))
        meta = {"subject": text_of(row, "subject", where)}
        return asked(text_of(row, "id", where), text, media, [text_of(row, "answer", where)], options, meta, where)

    def recognise(self, content: Content) -> list[Prediction] | None:
        """The lines that the official scripts write, a reply beside each question."""
        return result_list(content, "id", "response")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy over all questions, then by subject."""
        read = [
            None if prediction is None else _choice(prediction.answer, sample.choices)
            for sample, prediction in zip(samples, predictions, strict=True)
        ]
        result = Result.mean(
            "mmmu_pro/strict",
            "accuracy",
            [100.0 * (letter == sample.answers[0]) for letter, sample in zip(read, samples, strict=True)],
            missing=predictions.count(None),
            unparsed=read.count(None) - predictions.count(None),
        )
        return with_means(result, samples, "subject")


def _choice(reply: str, options: Sequence[str]) -> str | None:
    _, mark, conclusion = reply.rpartition("Answer:")
    named = [letter for letter in ascii_uppercase[: len(options)] if letter in conclusion] if mark else []
    return named[0] if len(named) == 1 else parse_choice(reply, options)


def _options(text: str, where: str) -> list[str]:
    """The column holds a Python list as text."""
    try:
        options = ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise InputError(f"{where}: 'options' is not a list of texts: {text[:60]!r}") from error
    if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
        raise InputError(f"{where}: 'options' is not a list of texts: {text[:60]!r}")
    return options
