"""Documents as one view of the whole and crops by the grid whose shape fits best (UReader, mPLUG-DocOwl 1.5, PaperOwl)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image

from vistune.model.encoders.anyres import Anyres
from vistune.model.features import Geometry, Prepared, Tiling
from vistune.spec import Spec

DOCOWL_1_5 = tuple(
    (columns, rows)
    for rows, columns in (
        (1, 1), (1, 2), (2, 1), (1, 3), (3, 1), (2, 2), (1, 4), (4, 1), (1, 5), (5, 1), (1, 6), (6, 1),
        (2, 3), (3, 2), (1, 7), (7, 1), (4, 2), (2, 4), (1, 8), (8, 1), (3, 3), (1, 9), (9, 1),
    )
)  # fmt: skip


class Anchors(Anyres):
    """`inner` sees the whole picture and each crop of the best of `grids` (columns, rows), all squashed to its square.

    The best grid overlaps most with a box of the picture's shape, and then with the picture itself (UReader, arXiv 2310.05126,
    section 3.1); of equal ones the first. PaperOwl has one grid, (2, 2).
    """

    def __init__(
        self, inner: Spec = "huggingface", grids: Sequence[tuple[int, int]] = DOCOWL_1_5, load_weights: bool = True
    ) -> None:
        super().__init__(inner, grids, load_weights)

    def tiling(self, size: tuple[int, int]) -> Tiling | None:
        """The best grid for a picture of `size` (width, height)."""
        columns, rows = max(self.grids, key=lambda grid: _fit(grid, size, self.size))
        return Tiling(rows, columns, size)

    def prepare(self, image: Image.Image) -> Prepared:
        """The whole, then the crops row by row."""
        tiling = self.tiling(image.size)
        assert tiling is not None
        pixels = [self.inner.prepare(view).inputs for view in crops(image, self.size, tiling)]
        return Prepared(torch.cat(pixels), Geometry())


def _fit(grid: tuple[int, int], size: tuple[int, int], tile: int) -> float:
    """How well a picture fills a grid: a hundred times by shape, once by size."""
    columns, rows = grid
    anchor = columns * tile, rows * tile
    # A box as wide as the grid with the picture's proportions: overlap with it compares shapes, whatever the resolution.
    shape = anchor[0], anchor[0] * size[1] / size[0]
    # The factor makes size decide between grids of one shape only, as UReader selects.
    return 100 * _overlap(anchor, shape) + _overlap(anchor, size)


def _overlap(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Intersection over union of two boxes (width, height) with one corner in common."""
    both = min(first[0], second[0]) * min(first[1], second[1])
    return both / (first[0] * first[1] + second[0] * second[1] - both)


def crops(image: Image.Image, tile: int, tiling: Tiling) -> list[Image.Image]:
    """The squashed whole and the crops of the picture squashed into the grid, each `tile` x `tile` pixels."""
    wide, high = tiling.columns * tile, tiling.rows * tile
    canvas = image.resize((wide, high), Image.Resampling.BICUBIC)
    boxes = [(left, top, left + tile, top + tile) for top in range(0, high, tile) for left in range(0, wide, tile)]
    return [image.resize((tile, tile), Image.Resampling.BICUBIC), *(canvas.crop(box) for box in boxes)]
