"""Captions of regions: Visual Genome's or RefCOCOg's phrases as captions (GLaMM, Rasheed et al., CVPR 2024; ASM, GPT4RoI)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.data.fields.regions.boxes import unit_box
from vistune.evals.benchmark import result_list
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, key_of, medium, numbers_of, sections, text_of, whole_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_captions
from vistune.sample import MediaRef, Region, Sample, Text, Turn


@dataclass(frozen=True)
class RegionCaptions:
    """A COCO captions file whose images are regions: an `image_id` for each, a box in the image's or the caption's record.

    Papers report METEOR and CIDEr: `metrics` are those of `captions` (METEOR needs Java).
    """

    prompt: str = "Describe this region in a short phrase."
    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "finetune_refcocog_val_captions.json", "images": "train2014"}
    )
    answer_form: ClassVar[str] = "a phrase"
    result_form: ClassVar[str] = '[{"image_id", "caption"}]'
    ids: ClassVar[str] = "`id` of the region's image record"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"image_id": 0, "caption": "man in a red shirt"}]'})
    departs: ClassVar[str] = (
        "METEOR, which papers report beside CIDEr, is asked for with `--set metrics=[METEOR,CIDEr]` and needs Java"
    )

    def read(self, source: str) -> list[Sample]:
        """A sample a region, shown in the question."""
        path = locate(source, self.files["annotations"])
        images, annotations = sections(path, "images", "annotations")
        captions: dict[str | int, list[str]] = {}
        boxes: dict[str | int, object] = {}
        for where, record in annotations:
            region = key_of(record, "image_id", where)
            captions.setdefault(region, []).append(text_of(record, "caption", where))
            boxes.setdefault(region, record)
        samples = []
        for where, record in images:
            region = key_of(record, "id", where)
            size = (whole_of(record, "width", where), whole_of(record, "height", where))
            holder = record if "bbox" in record else boxes.get(region, record)
            box = unit_box(numbers_of(holder, "bbox", 4, where), where, size, "xywh", clip=True)
            image = medium(path.parent / self.files["images"], text_of(record, "file_name", where))
            sample = asked(region, self.prompt, [image], captions.get(region, []), origin=where)
            shown = Turn("user", (MediaRef(0), Text(f"{self.prompt} "), Region(box=box)))
            samples.append(Sample(sample.id, sample.media, (shown,), (Region(box=box),), sample.answers, (), {}, where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """COCO's result list, which GLaMM writes."""
        return result_list(content, "image_id", "caption")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The caption metrics, CIDEr-D first."""
        return score_captions(samples, predictions, self.metrics)
