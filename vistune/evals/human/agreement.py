"""Krippendorff's alpha: agreement of any number of raters, with missing ratings, corrected for chance.

K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011):

    alpha = 1 - D_o / D_e        1: perfect agreement, 0: what chance gives, below 0: systematic disagreement

D_o averages the difference function over pairs of ratings of the same unit, D_e over all pairs of pairable ratings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Level: TypeAlias = Literal["nominal", "ordinal", "interval"]


def krippendorff_alpha(units: Sequence[Sequence[float]], level: Level) -> float:
    """Alpha over `units`, each the ratings one unit got (from any raters, in any order; missing ones left out).

    `level` chooses the difference of two ratings: nominal (equal or not), ordinal (how many ratings lie between) or
    interval (squared distance). NaN where alpha is undefined: no unit with two ratings, or a single value throughout.
    """
    values = sorted({value for unit in units if len(unit) > 1 for value in unit})
    if len(values) < 2:
        return math.nan
    coincidences = _coincidences(units, values)
    totals = coincidences.sum(axis=1)
    difference = _difference(np.asarray(values, dtype=float), totals, level)
    observed = float((coincidences * difference).sum())
    expected = float((np.outer(totals, totals) * difference).sum()) / (totals.sum() - 1)
    return float(1.0 - observed / expected)


def _coincidences(units: Sequence[Sequence[float]], values: list[float]) -> NDArray[np.float64]:
    """How often two values `[V, V]` met in a unit; each unit's ordered pairs weigh 1 / (its ratings - 1)."""
    index = {value: position for position, value in enumerate(values)}
    matrix = np.zeros((len(values), len(values)))
    for unit in units:
        if len(unit) < 2:
            continue
        counts = np.bincount([index[value] for value in unit], minlength=len(values)).astype(float)
        matrix += (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    return matrix


def _difference(values: NDArray[np.float64], totals: NDArray[np.float64], level: Level) -> NDArray[np.float64]:
    """The difference function `[V, V]`, already squared."""
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "interval":
        return (values[:, None] - values[None, :]) ** 2
    # Ordinal: the ratings from one value to the other, half of each end's own; cumulative counts give it in one step.
    rank = np.cumsum(totals) - totals / 2
    return (rank[:, None] - rank[None, :]) ** 2
