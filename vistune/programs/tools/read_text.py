"""`read_text`: the words on a picture, with where they stand."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

import numpy as np

from vistune.data.media.image import load_image
from vistune.errors import MissingExtraError
from vistune.programs.observation import Observation
from vistune.programs.tool import Image, ToolPart
from vistune.sample import Region


class ReadText(ToolPart):
    """RapidOCR with the models in its package: nothing is downloaded. `least`: score of a line that counts."""

    def __init__(self, least: float = 0.5, name: str = "Detect Text In Image") -> None:
        self.name, self.use = name, "Reads the text on a picture."
        self._least = least

    @cached_property
    def _reader(self) -> Any:
        try:
            from rapidocr import RapidOCR
        except ImportError as error:
            raise MissingExtraError("rapidocr", "ocr", "reading text on pictures") from error
        logging.getLogger("RapidOCR").setLevel(logging.ERROR)
        return RapidOCR(params={"Global.log_level": "error"})

    def __call__(self, image: Image) -> Observation:
        """The lines from top to bottom, each a region with its text as the label."""
        picture = load_image(image)
        found = self._reader(np.ascontiguousarray(np.asarray(picture)[:, :, ::-1]))
        if found.boxes is None:
            return Observation("there is no text")
        lines = [
            (_around(box, picture.size), text)
            for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
            if score >= self._least
        ]
        lines.sort(key=lambda line: (line[0][1], line[0][0]))
        return Observation("\n".join(text for _, text in lines), (), tuple(Region(box=box, label=text) for box, text in lines))


def _around(corners: Any, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The upright box around four corners in pixels, in shares of the picture."""
    points = np.clip(np.asarray(corners, dtype=np.float64) / np.asarray(size), 0, 1)
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    return float(x1), float(y1), float(x2), float(y2)
