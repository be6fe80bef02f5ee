"""Is one model better than another? Both are scored on the same samples, so the comparison is paired."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.evals.result import Floats, Result, finite, resampled_weights


@dataclass(frozen=True, slots=True)
class Comparison:
    """Difference of the headlines, first minus second, with what chance alone would do.

    `interval`: paired bootstrap of the difference; `bootstrap_p`: two-sided, from the same resamples (never below
    2 / (resamples + 1)). `wins` and `losses`: items on which the first is better, or worse (it scores less where lower is
    better); items of one cluster are one item, their mean, since they stand or fall together. `test` on them is McNemar's where
    an item is right or wrong, the sign test elsewhere, both exact, with `test_p`.
    """

    rule: str
    name: str
    first: float
    second: float
    interval: tuple[float, float]
    bootstrap_p: float
    wins: int
    losses: int
    ties: int
    test: str
    test_p: float

    @property
    def difference(self) -> float:
        """First minus second."""
        return self.first - self.second

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; a value that is not a number is null."""
        return {
            "rule": self.rule,
            "value": self.name,
            "first": finite(self.first),
            "second": finite(self.second),
            "difference": finite(self.difference),
            "interval": [finite(bound) for bound in self.interval],
            "bootstrap_p": self.bootstrap_p,
            "wins": self.wins,
            "losses": self.losses,
            "ties": self.ties,
            "test": self.test,
            "test_p": self.test_p,
        }


def compare(first: Result, second: Result, level: float = 0.95, resamples: int = 1000, seed: int = 0) -> Comparison:
    """Compare two results of one benchmark. Raises `InputError` when rule or samples differ."""
    if first.rule != second.rule or first.name != second.name:
        raise InputError(
            f"results by different rules cannot be compared: {first.rule} ({first.name}), {second.rule} ({second.name})"
        )
    if first.ids != second.ids or first.n != second.n:
        raise InputError(f"results on different samples cannot be compared: {first.n} and {second.n} items")
    groups = first.clusters if first.clusters is not None else np.arange(first.n)
    drawn = [first.statistic(weights) - second.statistic(weights) for weights in resampled_weights(groups, resamples, seed)]
    differences = np.concatenate([np.empty(0), *drawn])
    differences = differences[np.isfinite(differences)]
    interval, bootstrap_p = (math.nan, math.nan), 1.0
    if len(differences):
        low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
        interval = (float(low), float(high))
        tail = 1 + min(int((differences <= 0).sum()), int((differences >= 0).sum()))
        bootstrap_p = min(1.0, 2 * tail / (len(differences) + 1))
    ours, theirs = _independent(first.items, groups), _independent(second.items, groups)
    more, less = int((ours > theirs).sum()), int((ours < theirs).sum())
    wins, losses = (less, more) if first.details.get("lower_is_better") else (more, less)
    right_or_wrong = len(np.setdiff1d(np.concatenate([ours, theirs]), [0.0])) <= 1
    return Comparison(
        first.rule,
        first.name,
        first.headline,
        second.headline,
        interval,
        bootstrap_p,
        wins,
        losses,
        len(ours) - wins - losses,
        "McNemar" if right_or_wrong else "sign",
        exact_sign_test(wins, losses),
    )


def _independent(items: Floats, groups: NDArray[Any]) -> Floats:
    """The mean of each group: the test takes its trials for independent, and four rotations of a question are one trial."""
    _, index = np.unique(groups, return_inverse=True)
    # Rounded, so that the order in which a group was summed up decides nothing.
    return np.round(np.bincount(index, items) / np.bincount(index), 9) if len(items) else items


def exact_sign_test(wins: int, losses: int) -> float:
    """Two-sided p of a split at least as uneven when both sides are equally likely; 1 where nothing differs."""
    total, fewer = wins + losses, min(wins, losses)
    logs = [_log_choose(total, count) - total * math.log(2) for count in range(fewer + 1)]
    return min(1.0, 2 * math.fsum(math.exp(value) for value in logs))


def _log_choose(total: int, count: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
