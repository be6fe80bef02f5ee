"""AudioCaps: captions of ten-second sounds (Kim et al., NAACL 2019)."""

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
from vistune.evals.scorers import score_captions
from vistune.sample import Sample


@dataclass(frozen=True)
class AudioCaps:
    """The test split has five captions a clip, a row each; a sound is `audio/{youtube_id}.wav`. `metrics`: of `captions`."""

    prompt: str = "Describe the sound in one sentence."
    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "dataset/test.csv", "sounds": "audio"})
    answer_form: ClassVar[str] = "one sentence"
    result_form: ClassVar[str] = '[{"youtube_id", "caption"}]'
    ids: ClassVar[str] = "`youtube_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"youtube_id": "7fmOlUlwoNg", "caption": "a bell is ringing"}]'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a clip, its rows gathered."""
        path = locate(source, self.files["annotations"])
        captions: dict[str, list[str]] = {}
        places: dict[str, str] = {}
        for where, row in rows(path):
            clip = text_of(row, "youtube_id", where)
            captions.setdefault(clip, []).append(text_of(row, "caption", where))
            places.setdefault(clip, where)
        folder = path.parent.parent / self.files["sounds"]
        return [
            asked(clip, self.prompt, [medium(folder, f"{clip}.wav", "audio")], texts, origin=places[clip])
            for clip, texts in captions.items()
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by clip; the authors publish no format."""
        return result_list(content, "youtube_id", "caption")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The caption metrics, CIDEr-D first."""
        return score_captions(samples, predictions, self.metrics)
