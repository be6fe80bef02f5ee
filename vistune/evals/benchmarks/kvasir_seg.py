"""Kvasir-SEG: polyps in pictures of the gut, a medical segmentation set (Jha et al., MMM 2020)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.evals.metrics.segmentation import dice
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked
from vistune.evals.reading.label_maps import Mask, png_predictions, predicted_mask, run_length_predictions
from vistune.evals.reading.sources import Content
from vistune.evals.result import Result
from vistune.files import kept
from vistune.sample import Media, Sample

BRIGHT = 128


@dataclass(frozen=True)
class KvasirSeg:
    """1,000 pictures with a mask each, `masks/{name}.jpg`, bright where the polyp is; mean Dice and mean IoU over pictures.

    The sets of the same layout, CVC-ClinicDB among them, are scored alike. `names` is a file of names, one a line: a split.
    """

    names: str = ""
    prompt: str = "Segment every polyp."

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "masks", "images": "images"})
    answer_form: ClassVar[str] = "a mask, as run lengths in the extra `mask`, or a PNG file in `map`"
    result_form: ClassVar[str] = 'a folder of {name}.png, or {name: {"size", "counts"}}'
    ids: ClassVar[str] = "the file's name without its ending"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"run lengths": '{"cju0": {"size": [12, 16], "counts": "c1660000000000000]1"}}'}
    )
    departs: ClassVar[str] = (
        "the authors publish no evaluator; Dice and IoU are taken at the threshold one half, not averaged over thresholds"
    )

    def read(self, source: str) -> list[Sample]:
        """A sample a picture that has a mask."""
        root = Path(source)
        masks = {file.stem: file for file in sorted((root / "masks").glob("*")) if file.suffix.lower() in (".jpg", ".png")}
        if not masks:
            raise InputError(f"{source}: has no masks/*.jpg, where the official download keeps them")
        wanted = Path(self.names).read_text().split() if self.names else list(masks)
        if absent := [name for name in wanted if name not in masks]:
            raise InputError(f"{self.names}: {absent[0]!r} has no mask in {root / 'masks'}")
        samples = []
        for name in wanted:
            image = kept(root, root / "images" / masks[name].name)
            mask = str(kept(root, masks[name]))
            samples.append(asked(name, self.prompt, [Media.file("image", str(image))], meta={"mask": mask}, origin=mask))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A folder of PNG files, or run lengths by name; the authors publish no format."""
        return png_predictions(content) or run_length_predictions(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Mean Dice first, then mean IoU."""
        truths = [_bright(str(sample.meta["mask"])) for sample in samples]
        masks = [
            None if prediction is None else predicted_mask(prediction, (truth.shape[0], truth.shape[1]), sample.where)
            for sample, prediction, truth in zip(samples, predictions, truths, strict=True)
        ]
        return dice(masks, truths)


def _bright(path: str) -> Mask:
    return np.asarray(np.asarray(load_image(Media.file("image", path)).convert("L")) >= BRIGHT)
