"""DAVIS 2017: objects followed through films, semi-supervised, J&F (Pont-Tuset et al., 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from vistune.errors import InputError
from vistune.evals.metrics.video_masks import contour_accuracy, region_similarity, statistics
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked
from vistune.evals.reading.label_maps import labels_at, nested_maps
from vistune.evals.reading.sources import Content, read_text
from vistune.evals.result import Floats, Result, ratio
from vistune.files import kept
from vistune.sample import Media, Sample

VOID = 255


@dataclass(frozen=True)
class Davis:
    """The val split has 30 films with 61 objects. The first and the last frame do not count: the first is given.

    A prediction names a film's label maps under the extra `maps`, frame -> PNG file; objects are numbered as annotated.
    """

    split: str = "val"
    prompt: str = "Follow the objects that are marked in the first frame through the film."

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "DAVIS/Annotations/480p", "list": "DAVIS/ImageSets/2017/{split}.txt"}
    )
    answer_form: ClassVar[str] = "label maps, PNG files in the extra `maps`"
    result_form: ClassVar[str] = "a folder of {film}/{frame}.png"
    ids: ClassVar[str] = "the film's name"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a line of predictions, with frames under `maps`": '{"id": "bear", "answer": "", "extras": {"maps": {}}}'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a film of the split, its annotated frames in `meta`."""
        root = Path(source) / "DAVIS"
        listed = root / "ImageSets" / "2017" / f"{self.split}.txt"
        samples = []
        for film in read_text(listed).split():
            folder = kept(root, root / "Annotations" / "480p" / film)
            frames = sorted(folder.glob("*.png"))
            if len(frames) < 3:
                raise InputError(f"{folder}: has {len(frames)} annotated frames, expected at least 3")
            images = [Media.file("image", str(root / "JPEGImages" / "480p" / film / f"{frame.stem}.jpg")) for frame in frames]
            maps = {frame.stem: str(kept(root, frame)) for frame in frames}
            samples.append(asked(film, self.prompt, images, meta={"maps": maps}, origin=str(folder)))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The official folder of results."""
        if content.form != "folder":
            return None
        return [Prediction(film, "", extras={"maps": maps}) for film, maps in nested_maps(content.path)] or None

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The mean of J and F over all objects, then their means, recalls and decays."""
        tables = [
            _film(sample, {} if prediction is None else prediction.extras.get("maps", {}))
            for sample, prediction in zip(samples, predictions, strict=True)
        ]
        counts = np.array([len(table) for table in tables], dtype=np.float64)
        sums = np.array([table[:, [0, 3]].mean(axis=1).sum() for table in tables])
        everything = np.concatenate([np.empty((0, 6)), *tables])
        names = ("J-Mean", "J-Recall", "J-Decay", "F-Mean", "F-Recall", "F-Decay")
        means = 100 * everything.mean(axis=0) if len(everything) else np.full(6, np.nan)
        return Result(
            "davis-2017/semi-supervised",
            {"J&F-Mean": float((means[0] + means[3]) / 2), **dict(zip(names, map(float, means), strict=True))},
            100 * np.divide(sums, counts, out=np.ones(len(counts)), where=counts > 0),
            ratio(sums, counts, 100),
            missing=predictions.count(None),
            notes=("an item's score is the mean of its film's objects",),
        )


def _film(sample: Sample, maps: Any) -> Floats:
    """Mean, recall and decay of J, then of F, of each object of a film `[objects, 6]`."""
    if not isinstance(maps, dict):
        raise InputError(f"prediction of {sample.where}: the extra 'maps' is no object of frames")
    frames = list(sample.meta["maps"].items())
    first = labels_at(frames[0][1], sample.where)
    objects = [
        int(value) for value in np.unique(np.concatenate([np.unique(labels_at(path, sample.where)) for _, path in frames]))
    ]
    objects = [value for value in objects if value not in (0, VOID)]
    scores = np.zeros((len(objects), 2, len(frames) - 2))
    for number, (frame, path) in enumerate(frames[1:-1]):
        truth = labels_at(path, sample.where)
        guess = labels_at(maps[frame], f"prediction of {sample.where}") if frame in maps else np.zeros_like(first)
        if guess.shape != truth.shape:
            raise InputError(f"prediction of {sample.where}: frame {frame} is {guess.shape}, its reference {truth.shape}")
        for place, value in enumerate(objects):
            pair = guess == value, truth == value
            scores[place, :, number] = region_similarity(*pair), contour_accuracy(*pair)
    return np.array([[*statistics(one[0]), *statistics(one[1])] for one in scores]).reshape(-1, 6)
