"""Referring segmentation on RefCOCO, RefCOCO+ and RefCOCOg (Yu et al., ECCV 2016), as LISA and GLaMM report it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from vistune.data.fields.regions.coco_masks import instance_mask
from vistune.evals.benchmarks.ref_coco_comprehension import RefCocoComprehension
from vistune.evals.metrics.segmentation import referred_masks
from vistune.evals.prediction import Prediction
from vistune.evals.reading.label_maps import predicted_mask, run_length_predictions
from vistune.evals.reading.sources import Content
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class RefCocoSegmentation(RefCocoComprehension):
    """cIoU, all intersections over all unions, is the published number (oIoU elsewhere); gIoU is the mean over expressions.

    A prediction holds its mask under the extra `mask` (run lengths of the picture's size) or `map` (a PNG file).
    """

    headline: Literal["cIoU", "gIoU"] = "cIoU"
    prompt: str = "Segment what this describes: {expression}"

    answer_form: ClassVar[str] = "a mask, as run lengths in the extra `mask`"
    result_form: ClassVar[str] = '{sent_id: {"size", "counts"}}'
    ids: ClassVar[str] = "`sent_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"run lengths": '{"1": {"size": [20, 40], "counts": "b28<000000000000000000000n>"}}'}
    )
    departs: ClassVar[str] = ""

    def kept(self, box: Any) -> dict[str, Any]:
        """The object's outline."""
        return {"segmentation": box.get("segmentation")}

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """Run lengths by sentence; the toolkit defines no format."""
        return run_length_predictions(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """cIoU, gIoU and the share over IoU .5."""
        masks, truths = [], []
        for sample, prediction in zip(samples, predictions, strict=True):
            size = sample.meta["width"], sample.meta["height"]
            truths.append(instance_mask(sample.meta["segmentation"], size, sample.where))
            masks.append(None if prediction is None else predicted_mask(prediction, (size[1], size[0]), sample.where))
        return referred_masks(masks, truths, self.headline)
