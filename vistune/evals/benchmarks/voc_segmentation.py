"""PASCAL VOC segmentation (Everingham et al., IJCV 2015): mIoU over background and twenty classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from vistune.data.fields.regions.coco_masks import instance_mask
from vistune.errors import InputError
from vistune.evals.metrics.segmentation import mean_iou
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium
from vistune.evals.reading.label_maps import Labels, labels_at, png_predictions
from vistune.evals.reading.sources import Content, read_text
from vistune.evals.result import Result
from vistune.files import kept
from vistune.sample import Sample

CLASSES, VOID = 21, 255


@dataclass(frozen=True)
class VocSegmentation:
    """The val split of 2012 has 1,449 pictures. A prediction is a label map: 0 background, 1 to 20 the classes by alphabet.

    The path of its PNG file stands under the extra `map`; the void of the annotations does not count.
    """

    year: str = "2012"
    split: str = "val"
    prompt: str = "Segment every object and name its class."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "VOCdevkit/VOC{year}/SegmentationClass"})
    answer_form: ClassVar[str] = "a label map, as a PNG file in the extra `map`"
    result_form: ClassVar[str] = 'a folder of {name}.png (comp5_val_cls), or {name: {class: {"size", "counts"}}}'
    ids: ClassVar[str] = "the file's name without its ending"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"run lengths by class": '{"2007_000033": {"1": {"size": [8, 10], "counts": [18, 4, 4, 4, 4, 4, 4, 4, 4, 4, 26]}}}'}
    )
    departs: ClassVar[str] = "classes that occur in neither do not count, where the development kit's mean has none for them"

    def read(self, source: str) -> list[Sample]:
        """A sample a picture of the split."""
        root = Path(source) / "VOCdevkit" / f"VOC{self.year}"
        listed = root / "ImageSets" / "Segmentation" / f"{self.split}.txt"
        samples = []
        for name in read_text(listed).split():
            truth = str(kept(root, root / "SegmentationClass" / f"{name}.png"))
            image = medium(root / "JPEGImages", f"{name}.jpg")
            samples.append(asked(name, self.prompt, [image], meta={"map": truth}, origin=f"{listed}: {name}"))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The development kit's folder of label maps, or run lengths by picture and class."""
        if content.form != "json" or not isinstance(content.value, dict):
            return png_predictions(content)
        held = content.value.items()
        if not held or not all(isinstance(masks, dict) and all(str(kind).isdecimal() for kind in masks) for _, masks in held):
            return None
        return [Prediction(name, "", extras={"masks": masks}) for name, masks in held]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """mIoU over the classes that occur, from one confusion matrix. An answer without a map is missing its pixels."""
        truths = [labels_at(sample.meta["map"], sample.where) for sample in samples]
        maps = [
            None if prediction is None else _map(prediction, truth, sample.where)
            for sample, prediction, truth in zip(samples, predictions, truths, strict=True)
        ]
        if not truths:
            raise InputError("there are no pictures to score")
        return mean_iou(maps, truths, CLASSES, VOID)


def _map(prediction: Prediction, truth: Labels, where: str) -> Labels | None:
    """A prediction's label map: a PNG file in `map`, or a mask a class in `masks`, the later over the earlier."""
    here = f"prediction of {where}"
    if "map" in prediction.extras:
        return labels_at(prediction.extras["map"], here)
    if not isinstance(prediction.extras.get("masks"), dict):
        return None
    drawn = np.zeros(truth.shape, np.int64)
    for kind, mask in prediction.extras["masks"].items():
        if not str(kind).isdecimal() or int(kind) >= CLASSES:
            raise InputError(f"{here}: {str(kind)[:20]!r} is no class from 0 to {CLASSES - 1}")
        drawn[instance_mask(mask, (truth.shape[1], truth.shape[0]), here)] = int(kind)
    return drawn
