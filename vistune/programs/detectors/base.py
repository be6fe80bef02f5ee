"""`Detector`: finds named things in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from vistune.sample import Region


@dataclass(frozen=True, slots=True)
class Found:
    """A box or mask with the name it was found by as its label, and a score in [0, 1], higher is surer."""

    region: Region
    score: float


class Detector(Protocol):
    """An open-vocabulary detector."""

    def find(self, picture: Image.Image, names: Sequence[str]) -> list[Found]:
        """What of the names is in the picture, surest first; a name may be found several times or not at all."""
        ...


def overlap(one: tuple[float, ...], two: tuple[float, ...]) -> float:
    """Intersection over union of two xyxy boxes."""
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = (one[2] - one[0]) * (one[3] - one[1]) + (two[2] - two[0]) * (two[3] - two[1])
    return width * height / (both - width * height)


def apart(found: Sequence[Found], most: float = 0.5) -> list[Found]:
    """The surest of those that overlap by more than `most` (greedy non-maximum suppression, over all names)."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda item: -item.score):
        if all(overlap(one.region.bounds(), other.region.bounds()) <= most for other in kept):
            kept.append(one)
    return kept
