"""A promptable segmenter proposes everything there is, a dual encoder says what each is (SAM with CLIP)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vistune.programs.detectors.base import Found, apart
from vistune.programs.likeness import Likeness
from vistune.programs.segmenter import Segmenter
from vistune.sample import Box, Region


class SegmenterAndEncoder:
    """The detector `segmenter_and_encoder`.

    segmenter, encoder: directories, hub ids or `builtin:NAME`
    others:   names that nobody asks for and every proposal is also compared with, so that it may be none of those asked for
    side:     points of the segmenter's grid, along each side
    least:    softmax score below which a proposal has none of the names
    smallest: share of the picture below which a proposal is none
    template: how a name is put to the encoder
    """

    def __init__(
        self,
        segmenter: str = "builtin:sam",
        encoder: str = "builtin:clip",
        others: Sequence[str] = ("background",),
        side: int = 12,
        least: float = 0.5,
        smallest: float = 0.003,
        template: str = "a {}",
    ) -> None:
        self._segmenter, self._likeness = Segmenter(segmenter), Likeness(encoder)
        self._others, self._side, self._least, self._smallest = tuple(others), side, least, smallest
        self._template = template
        self._last: tuple[bytes, list[Found]] = (b"", [])  # programs ask for one name after the other of one picture

    def find(self, picture: Image.Image, names: Sequence[str]) -> list[Found]:
        """See `Detector`."""
        asked = list(dict.fromkeys(names))
        proposals = self.proposals(picture)
        if not asked or not proposals:
            return []
        every = [*asked, *(name for name in self._others if name not in asked)]
        looks = [alone(picture, proposal.region.bounds()) for proposal in proposals]
        scores = self._likeness.scores(looks, [self._template.format(name) for name in every]).softmax(dim=-1)
        found = []
        for proposal, row in zip(proposals, scores, strict=True):
            best = int(row.argmax())
            if best < len(asked) and float(row[best]) >= self._least:
                found.append(Found(Region(box=proposal.region.bounds(), label=asked[best]), float(row[best])))
        return sorted(found, key=lambda one: -one.score)

    def proposals(self, picture: Image.Image) -> list[Found]:
        """Everything that stands apart, as masks, the stablest first."""
        pixels = picture.convert("RGB")
        key = repr(pixels.size).encode() + pixels.tobytes()
        if key != self._last[0]:
            masks, stable = self._segmenter.everything(pixels, self._side)
            large = masks.mean(axis=(1, 2)) >= self._smallest
            found = [Found(Region(mask=mask), float(score)) for mask, score in zip(masks[large], stable[large], strict=True)]
            self._last = key, apart(found)
        return self._last[1]


def alone(picture: Image.Image, box: Box, margin: float = 0.05) -> Image.Image:
    """What lies in a box, in the middle of a picture of the same size that is otherwise of the colour around it."""
    pixels = np.asarray(picture.convert("RGB"))
    high, wide = pixels.shape[:2]
    left, top = max(0, int((box[0] - margin) * wide)), max(0, int((box[1] - margin) * high))
    right, bottom = min(wide, round((box[2] + margin) * wide)), min(high, round((box[3] + margin) * high))
    piece = pixels[top:bottom, left:right]
    canvas = np.empty_like(pixels)
    canvas[:] = _around(piece)
    y, x = (high - piece.shape[0]) // 2, (wide - piece.shape[1]) // 2
    canvas[y : y + piece.shape[0], x : x + piece.shape[1]] = piece
    return Image.fromarray(canvas)


def _around(piece: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The median colour of a piece's outermost pixels."""
    rim = np.concatenate([piece[[0, -1]].reshape(-1, 3), piece[:, [0, -1]].reshape(-1, 3)])
    median: NDArray[np.float64] = np.median(rim, axis=0)
    return median
