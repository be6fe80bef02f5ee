"""Flickr30k captions (Young et al., From image descriptions to visual denotations, TACL 2014), Karpathy split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.evals.benchmark import result_list
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import CAPTION
from vistune.evals.reading.annotations import KARPATHY, asked, list_of, medium, one_of, records, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_captions
from vistune.sample import Sample


@dataclass(frozen=True)
class Flickr30kCaptions:
    """Five captions an image; Karpathy's test split has 1,000 images, `metrics` are those of `captions`."""

    split: Literal["train", "restval", "val", "test"] = "test"
    prompt: str = CAPTION
    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "dataset_flickr30k.json", "images": "flickr30k-images"}
    )
    answer_form: ClassVar[str] = "one sentence"
    result_form: ClassVar[str] = '[{"image_id", "caption"}]'
    ids: ClassVar[str] = "the image's file name without its ending"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"image_id": "1000001", "caption": "A dog on a beach."}]'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample an image of the split, named by its file."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["images"]
        samples = []
        for where, record in records(path, "images"):
            if one_of(record, "split", KARPATHY, where) != self.split:
                continue
            name = text_of(record, "filename", where)
            sentences = [text_of(sentence, "raw", where) for sentence in list_of(record, "sentences", where)]
            samples.append(asked(name.removesuffix(".jpg"), self.prompt, [medium(folder, name)], sentences, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """COCO's result list, with the file name without `.jpg` as image id."""
        return result_list(content, "image_id", "caption")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """CIDEr-D first."""
        return score_captions(samples, predictions, self.metrics)
