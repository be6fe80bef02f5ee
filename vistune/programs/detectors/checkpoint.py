"""A model of this package as a detector: it is asked where each thing is, and the boxes of its answer are taken."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from vistune.programs.detectors.base import Found
from vistune.programs.eyes import Eyes
from vistune.sample import Media, Region


class Checkpoint:
    """The detector `checkpoint`.

    path:     the checkpoint's folder
    question: what it is asked, with `{}` for the name, in the words it was tuned on
    """

    def __init__(self, path: str, question: str = "Where is the {}?") -> None:
        self._eyes, self._question = Eyes(path), question

    def find(self, picture: Image.Image, names: Sequence[str]) -> list[Found]:
        """See `Detector`. Boxes come without a score; all have 1."""
        medium = Media("image", data=np.asarray(picture.convert("RGB")))
        found = []
        for name in dict.fromkeys(names):
            answer = self._eyes.answer(self._question.format(name), medium)
            found += [Found(Region(box=region.bounds(), label=name), 1.0) for region in answer.regions]
        return found
