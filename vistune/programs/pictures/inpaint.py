"""Filling a hole with what surrounds it: the smoothest surface through its rim (Laplace's equation, each colour by itself)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_dilation
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import spsolve

from vistune.errors import InputError


def without(picture: Image.Image, hole: NDArray[np.bool_], grow: int = 2) -> Image.Image:
    """The picture with the hole filled; `grow` pixels around it go, too, since edges of things are soft.

    Raises `InputError` when nothing is left to fill it from.
    """
    hole = binary_dilation(hole, iterations=grow) if grow else hole
    pixels = np.asarray(picture.convert("RGB")).astype(np.float64)
    if hole.all():
        raise InputError("the whole picture is to be removed: nothing would be left to fill it from")
    if hole.any():
        pixels[hole] = _solved(pixels, hole)
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def _solved(pixels: NDArray[np.float64], hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Colours `[N, 3]` of the hole's pixels, each the mean of its neighbours within the picture."""
    height, width = hole.shape
    number = np.full(hole.shape, -1)
    rows, columns = np.nonzero(hole)
    number[rows, columns] = np.arange(len(rows))
    at, to, known, neighbours = [], [], np.zeros((len(rows), 3)), np.zeros(len(rows))
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        row, column = rows + down, columns + right
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        neighbours += inside
        other = np.where(inside, number[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)], -2)
        free = np.nonzero(other >= 0)[0]
        at.append(free)
        to.append(other[free])
        fixed = np.nonzero(other == -1)[0]
        known[fixed] += pixels[row[fixed], column[fixed]]
    index = np.concatenate([np.arange(len(rows)), *at]), np.concatenate([np.arange(len(rows)), *to])
    weights = np.concatenate([neighbours, -np.ones(sum(len(some) for some in at))])
    solved: NDArray[np.float64] = spsolve(csr_matrix((weights, index), shape=(len(rows), len(rows))), known)
    return solved.reshape(-1, 3)
