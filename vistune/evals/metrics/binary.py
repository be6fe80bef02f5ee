"""Precision, recall and F1 of one positive class, and F1 as a statistic of item weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vistune.evals.result import Floats, Statistic


def precision_recall_f1(positive: Sequence[bool], truth: Sequence[bool]) -> tuple[float, float, float]:
    """In percent; NaN where there is nothing to divide by. `positive`: what was predicted."""
    true = sum(both and really for both, really in zip(positive, truth, strict=True))
    precision, recall = _share(true, sum(positive)), _share(true, sum(truth))
    return precision, recall, _share(2 * true, sum(positive) + sum(truth))


def _share(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else math.nan


def f1_statistic(positive: Sequence[bool], truth: Sequence[bool]) -> Statistic:
    """F1 in percent under item weights."""
    predicted, real = np.asarray(positive, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    columns = np.stack([2 * predicted * real, predicted + real], axis=1)

    def statistic(weights: Floats) -> Floats:
        sums = weights @ columns
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(100.0 * sums[:, 0] / sums[:, 1])

    return statistic
