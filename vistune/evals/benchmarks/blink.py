"""BLINK: fourteen tasks of visual perception (Fu et al., ECCV 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.annotations import asked, pictures_of, text_of, texts_of
from vistune.evals.benchmark import fill, result_list
from vistune.evals.hub import hub_rows
from vistune.evals.prediction import Prediction
from vistune.evals.result import Result
from vistune.evals.scorers import macro, score_letters, with_means
from vistune.evals.sources import Content
from vistune.sample import Sample


@dataclass(frozen=True)
class Blink:
    """The validation split has 1,901 questions; its answers are public. A question shows one to four images.

    The official evaluation lets a language model extract the option first; here the letter is read by rule.
    """

    split: str = "val"
    prompt: str = "{question}\nAnswer with the option's letter from the given choices directly."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "*/val-*.parquet"})
    answer_form: ClassVar[str] = "the option's letter"
    result_form: ClassVar[str] = '[{"idx", "prediction"}]'

    def read(self, source: str) -> list[Sample]:
        """A sample a row of the parquet files, one folder a task; `source` is the folder above, or one file."""
        return [
            asked(
                text_of(row, "idx", where),
                fill(self.prompt, question=text_of(row, "prompt", where)),
                pictures_of(row, "image_", where),
                [text_of(row, "answer", where).strip("()")],
                texts_of(row, "choices", where),
                {"task": text_of(row, "sub_task", where)},
                where,
            )
            for where, row in hub_rows(source, f"*/{self.split}-*.parquet", self.split)
        ]

    def recognise(self, content: Content) -> list[Prediction] | None:
        """The records of the official result files."""
        return result_list(content, "idx", "prediction")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The mean of the tasks' accuracies, as published, then each of them."""
        result = score_letters(samples, predictions, "letter")
        return with_means(macro(result, [sample.meta["task"] for sample in samples], "macro accuracy"), samples, "task")
