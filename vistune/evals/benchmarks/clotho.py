"""Clotho: five captions of each of 1,045 sounds (Drossos et al., ICASSP 2020; DCASE's automated audio captioning)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import result_list
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium, rows, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_captions, with_spider
from vistune.sample import Sample


@dataclass(frozen=True)
class Clotho:
    """`metrics` are those of `captions`; with CIDEr and SPICE SPIDEr, their mean, by which DCASE ranks, is reported, too."""

    prompt: str = "Describe the sound in one sentence."
    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "clotho_captions_evaluation.csv", "sounds": "evaluation"}
    )
    answer_form: ClassVar[str] = "one sentence"
    result_form: ClassVar[str] = "a table with the columns file_name, caption_predicted"
    ids: ClassVar[str] = "`file_name`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"DCASE's table": "file_name,caption_predicted\nSanta Motor.wav,a motor runs on"}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a sound, named by its file."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["sounds"]
        return [
            asked(
                text_of(row, "file_name", where),
                self.prompt,
                [medium(folder, text_of(row, "file_name", where), "audio")],
                [text_of(row, f"caption_{number}", where) for number in range(1, 6)],
                origin=where,
            )
            for where, row in rows(path)
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """DCASE's submission table."""
        return result_list(content, "file_name", "caption_predicted")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The caption metrics, CIDEr-D first; SPIDEr where both of its parts are asked for."""
        return with_spider(score_captions(samples, predictions, self.metrics))
