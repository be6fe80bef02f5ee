"""nocaps: captions of objects that COCO captions never name (Agrawal et al., ICCV 2019)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import answers, result_list
from vistune.evals.metrics.captions import captions
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import CAPTION
from vistune.evals.reading.annotations import asked, key_of, medium, sections, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Sample

DOMAINS = ("in-domain", "near-domain", "out-domain")


@dataclass(frozen=True)
class Nocaps:
    """Ten captions an image; the validation split has 4,500 images in three domains, each with a CIDEr of its own."""

    prompt: str = CAPTION
    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "nocaps_val_4500_captions.json", "images": "validation"}
    )
    answer_form: ClassVar[str] = "one sentence"
    result_form: ClassVar[str] = '[{"image_id", "caption"}]'
    ids: ClassVar[str] = "`id` of the image"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"image_id": 0, "caption": "A man on a horse."}]'})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample an image, its domain in `meta`."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["images"]
        images, annotations = sections(path, "images", "annotations")
        references: dict[object, list[str]] = defaultdict(list)
        for where, record in annotations:
            references[key_of(record, "image_id", where)].append(text_of(record, "caption", where))
        return [
            asked(
                key_of(record, "id", where),
                self.prompt,
                [medium(folder, text_of(record, "file_name", where))],
                references[record["id"]],
                meta={"domain": text_of(record, "domain", where)},
                origin=where,
            )
            for where, record in images
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The challenge's result list."""
        return result_list(content, "image_id", "caption")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """CIDEr-D over all images first; then over each domain alone, idf included."""
        result = captions(answers(predictions), [sample.answers for sample in samples], self.metrics)
        by_domain = {}
        for domain in DOMAINS:
            chosen = [index for index, sample in enumerate(samples) if sample.meta["domain"] == domain]
            if chosen:
                given, truth = answers([predictions[index] for index in chosen]), [samples[index].answers for index in chosen]
                by_domain[f"CIDEr {domain}"] = captions(given, truth, ("CIDEr",)).headline
        return replace(result, values={**result.values, **by_domain})
