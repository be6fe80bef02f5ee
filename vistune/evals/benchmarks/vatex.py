"""VATEX: ten English captions a clip (Wang et al., ICCV 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import result_object
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium, records, text_of, texts_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_captions
from vistune.sample import Sample


@dataclass(frozen=True)
class Vatex:
    """The validation split has 3,000 clips. Chinese captions need a word segmenter and are not scored here."""

    prompt: str = "Describe the video in one sentence."
    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "vatex_validation_v1.0.json", "videos": "videos"})
    answer_form: ClassVar[str] = "one sentence"
    result_form: ClassVar[str] = "{videoID: caption}"
    ids: ClassVar[str] = "`videoID`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"the challenge's object": '{"G9zN5TTuGO4_000179_000189": "a man rides a horse"}'}
    )
    departs: ClassVar[str] = "Chinese captions are not scored"

    def read(self, source: str) -> list[Sample]:
        """A sample a clip; `videoID` holds the film's name and the seconds that were cut out."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["videos"]
        return [
            asked(
                text_of(record, "videoID", where),
                self.prompt,
                [medium(folder, f"{text_of(record, 'videoID', where)}.mp4", "video")],
                texts_of(record, "enCap", where),
                origin=where,
            )
            for where, record in records(path)
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The challenge's submission, captions by clip."""
        return result_object(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The caption metrics, CIDEr-D first."""
        return score_captions(samples, predictions, self.metrics)
