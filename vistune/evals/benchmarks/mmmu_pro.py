"""MMMU-Pro: MMMU with more options, and with the question inside the image (Yue et al., ACL 2025)."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from vistune.data.fields.lettered import LETTERS, lettered
from vistune.errors import InputError
from vistune.evals.benchmark import field_of, result_list, worded
from vistune.evals.metrics.mmmu import parse_choice
from vistune.evals.metrics.mmmu_pro import parse_reply
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, pictures_of, text_of
from vistune.evals.reading.hub import hub_rows
from vistune.evals.reading.sources import Content
from vistune.evals.result import Result
from vistune.evals.scorers import score_stored, with_means
from vistune.sample import Sample

_PLACE = re.compile(r"<image (\d)>")


@dataclass(frozen=True)
class MmmuPro:
    """1,730 questions in each of three settings, which are the folders of the download.

    - `official`: the steps of the official evaluation. Where they find no letter it draws one; here the answer is unparsed
      and wrong
    - `strict`: MMMU's reading, where a letter stands between spaces
    - `stored`: the verdicts (`if_right`) that official output lines carry
    """

    setting: Literal["standard (10 options)", "standard (4 options)", "vision"] = "standard (10 options)"
    rule: Literal["official", "strict", "stored"] = "official"
    prompt: str = "{question}\n{options}\nThink step by step, then end with a line 'Answer: X', where X is the option's letter."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "standard (10 options)/test-*.parquet"})
    answer_form: ClassVar[str] = "free text that ends with 'Answer: X'"
    result_form: ClassVar[str] = '[{"id", "response"}]'
    ids: ClassVar[str] = "`id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a line": '{"id": "test_Finance_1", "response": "It is eight.\\nAnswer: C"}'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a row; `source` is the folder of the settings, one parquet file, or the official lines as JSONL."""
        return [self._sample(row, where) for where, row in hub_rows(source, f"{self.setting}/test-*.parquet", "test")]

    def _sample(self, row: Any, where: str) -> Sample:
        listed = _options(field_of(row, "options", where), where)
        options = [text for option in listed for text in ([option] if isinstance(option, str) else option)]
        answer = text_of(row, "answer", where)
        if answer not in LETTERS[: len(options)]:
            raise InputError(f"{where}: the answer {answer!r} is the letter of none of the {len(options)} options")
        if self.setting == "vision":
            question, media = "Answer the question in the image.", pictures_of(row, "image", where)
        else:
            question, media = text_of(row, "question", where), pictures_of(row, "image_", where)
        text = worded(self.prompt, question=_PLACE.sub(r"(image \1)", question), options=lettered(options))
        # One official row nests its options in a second list: the official code then knows a single letter.
        meta = {"subject": text_of(row, "subject", where), "letters": len(listed)}
        return asked(text_of(row, "id", where), text, media, [answer], options, meta, where)

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The lines that the official scripts write, a reply beside each question."""
        return result_list(content, "id", "response", empty=True)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy over all questions, then by subject."""
        if self.rule == "stored":
            return with_means(score_stored("mmmu_pro", "if_right", predictions), samples, "subject")
        read = [
            None if prediction is None else self._letter(prediction.answer, sample)
            for sample, prediction in zip(samples, predictions, strict=True)
        ]
        result = Result.mean(
            f"mmmu_pro/{self.rule}",
            "accuracy",
            [100.0 * (letter == sample.answers[0]) for letter, sample in zip(read, samples, strict=True)],
            missing=predictions.count(None),
            unparsed=read.count(None) - predictions.count(None),
        )
        return with_means(result, samples, "subject")

    def _letter(self, reply: str, sample: Sample) -> str | None:
        if self.rule == "official":
            return parse_reply(reply, sample.choices[: sample.meta["letters"]])
        return parse_choice(reply, sample.choices)


def _options(value: Any, where: str) -> list[str | list[str]]:
    """The column holds a Python list as text; one row holds a list of such lists."""
    options = value
    if isinstance(value, str):
        try:
            options = ast.literal_eval(value)
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            raise InputError(f"{where}: 'options' is not a list of texts: {value[:60]!r}") from error
    if not isinstance(options, list) or not options or not all(map(_is_option, options)):
        raise InputError(f"{where}: 'options' is not a list of texts: {str(value)[:60]!r}")
    return options


def _is_option(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(text, str) for text in value))
