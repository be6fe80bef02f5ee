"""TextCaps: captions that read the text in an image (Sidorov et al., ECCV 2020)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import result_list
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import CAPTION
from vistune.evals.reading.annotations import asked, medium, records, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_captions
from vistune.sample import Sample


@dataclass(frozen=True)
class TextCaps:
    """Five captions an image; the validation split has 3,166 images (of TextVQA)."""

    prompt: str = CAPTION
    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "TextCaps_0.1_val.json", "images": "train_images"})
    answer_form: ClassVar[str] = "one sentence"
    result_form: ClassVar[str] = '[{"image_id", "caption"}]'
    ids: ClassVar[str] = "`image_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"image_id": "a1b2", "caption": "A bottle of beer."}]'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample an image; the file has one record a caption."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["images"]
        references: dict[str, list[str]] = {}
        places: dict[str, str] = {}
        for where, record in records(path, "data"):
            image = text_of(record, "image_id", where)
            references.setdefault(image, []).append(text_of(record, "caption_str", where))
            places.setdefault(image, where)
        return [
            asked(image, self.prompt, [medium(folder, f"{image}.jpg")], sentences, origin=places[image])
            for image, sentences in references.items()
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The challenge's result list."""
        return result_list(content, "image_id", "caption")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """CIDEr-D first."""
        return score_captions(samples, predictions, self.metrics)
