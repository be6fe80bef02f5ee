"""ReasonSeg: segment what a question implies (Lai et al., LISA, CVPR 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from vistune.data.fields.regions.coco_masks import instance_mask
from vistune.data.fields.typed import as_number
from vistune.data.media.image import image_size
from vistune.errors import InputError
from vistune.evals.benchmark import worded
from vistune.evals.metrics.segmentation import referred_masks
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, list_of, text_of, texts_of
from vistune.evals.reading.label_maps import run_length_predictions
from vistune.evals.reading.sources import Content, load_json
from vistune.evals.result import Result
from vistune.sample import Media, Sample

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ReasonSeg:
    """The validation split has 200 images, the test split 779: a picture and a file of polygons each.

    Our predictions hold the mask under the extra `mask`, COCO run lengths of the image's size. Polygons are filled by
    Pillow, officially by OpenCV: single pixels of an outline may differ.
    """

    split: Literal["train", "val", "test"] = "val"
    prompt: str = "{question}\nAnswer with the segmentation mask."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "val"})
    answer_form: ClassVar[str] = "a mask, as run lengths in the extra `mask`"
    result_form: ClassVar[str] = '{image: {"size", "counts"}}'
    ids: ClassVar[str] = "the image's file name without its ending"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"an object": '{"3621_1": {"size": [8, 12], "counts": [96]}}'})
    departs: ClassVar[str] = "polygons are filled by Pillow instead of OpenCV"

    def read(self, source: str) -> list[Sample]:
        """A sample an image, named by its file; `source` is the folder of the splits, or one file of polygons."""
        root = Path(source)
        found = [root] if root.is_file() else sorted((root / self.split).glob("*.json"))
        if not found:
            raise InputError(f"{source}: has no {self.split}/*.json, where the official download keeps it")
        samples = []
        for path in found:
            record, where = load_json(path), str(path)
            question = worded(self.prompt, question=" ".join(texts_of(record, "text", where)))
            image = Media.file("image", str(path.with_suffix(".jpg")))
            shapes = list_of(record, "shapes", where)
            samples.append(asked(path.stem, question, [image], meta={"shapes": shapes}, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """Run lengths by image; the authors publish no format."""
        return run_length_predictions(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """gIoU and cIoU; pixels marked to be ignored belong to neither mask. An answer without a mask is an empty one."""
        truths, masks = [], []
        for sample, prediction in zip(samples, predictions, strict=True):
            size = image_size(sample.media[0], sample.where)
            ignored, truth = (_filled(sample.meta["shapes"], label, size, sample.where) for label in ("ignore", "target"))
            truths.append(truth & ~ignored)
            masks.append(None if prediction is None else _predicted(prediction, size, sample.where) & ~ignored)
        return referred_masks(masks, truths)


def _predicted(prediction: Prediction, size: tuple[int, int], where: str) -> Mask:
    if "mask" not in prediction.extras:
        return np.zeros((size[1], size[0]), dtype=bool)
    return instance_mask(prediction.extras["mask"], size, f"prediction of {where}")


def _filled(shapes: Any, label: str, size: tuple[int, int], where: str) -> Mask:
    """The union of a label's polygons as bool `[H, W]`."""
    from PIL import Image, ImageDraw

    canvas = Image.new("1", size)
    draw = ImageDraw.Draw(canvas)
    for number, shape in enumerate(shapes, 1):
        place = f"{where}: shape {number}"
        if text_of(shape, "label", place) == label:
            points = list_of(shape, "points", place)
            if not all(isinstance(point, list) and len(point) == 2 for point in points):
                raise InputError(f"{place}: its points are not pairs of numbers")
            if len(points) < 3:
                raise InputError(f"{place}: a polygon needs at least three points, this one has {len(points)}")
            draw.polygon([(as_number(x, place, "x"), as_number(y, place, "y")) for x, y in points], fill=1, outline=1)
    return np.asarray(canvas, dtype=bool)
