"""Means over groups: by subject, by task, by whether all questions of a pair are right."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vistune.evals.result import Floats

K = TypeVar("K", bound=Hashable)


def group_means(scores: Sequence[float] | Floats, groups: Sequence[Iterable[K]]) -> dict[K, float]:
    """Mean score of each group, in order of appearance; an item may belong to several, or to none."""
    members: dict[K, list[float]] = {}
    for score, belongs in zip(scores, groups, strict=True):
        for group in belongs:
            members.setdefault(group, []).append(float(score))
    return {group: sum(values) / len(values) for group, values in members.items()}


def numbered(groups: Sequence[Hashable]) -> NDArray[np.int64]:
    """Each item's group as a number, groups numbered in order of appearance."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.int64)


def all_right(correct: Sequence[float] | Floats, groups: NDArray[np.int64]) -> Floats:
    """For each group 1 when every one of its items is right (not zero), else 0; `groups` are `numbered`."""
    wrong = np.bincount(groups, np.asarray(correct) == 0)
    return np.equal(wrong, 0).astype(np.float64)
