"""MMStar: 1,500 questions that cannot be answered without the image (Chen et al., NeurIPS 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.data.fields.lettered import LETTERS
from vistune.evals.benchmark import result_list, worded
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, embedded, rows, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_letters, with_means
from vistune.sample import Sample


@dataclass(frozen=True)
class MmStar:
    """1,500 questions, 250 in each of six capabilities. A question's text holds its options.

    `rule` is `mmstar`, the official reading of a reply, or `letter`.
    """

    rule: str = "mmstar"
    prompt: str = "{question}\nAnswer with the option's letter from the given choices directly."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "MMStar.tsv"})
    answer_form: ClassVar[str] = "the option's letter"
    result_form: ClassVar[str] = '[{"index", "prediction"}]'
    ids: ClassVar[str] = "`index`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"index": 0, "prediction": "A"}]'})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a row; its image is in the file, its capability in `meta`."""
        path = locate(source, self.files["annotations"])
        return [
            asked(
                text_of(row, "index", where),
                worded(self.prompt, question=text_of(row, "question", where)),
                [embedded(text_of(row, "image", where), where)],
                [text_of(row, "answer", where)],
                tuple(LETTERS[:4]),
                {"capability": text_of(row, "category", where)},
                where,
            )
            for where, row in rows(path)
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The rows of the submission sheet as JSON."""
        return result_list(content, "index", "prediction")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy over all questions, then by capability."""
        return with_means(score_letters(samples, predictions, self.rule), samples, "capability")
