"""`Result`: what every scorer returns, with its uncertainty."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

Statistic: TypeAlias = Callable[[Floats], Floats]
"""The headline number under item weights: `weights [B, n]` -> `[B]`. All ones give the headline itself."""

_CHUNK = 1 << 24  # weights held at once while resampling


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A score with the rule that made it.

    `rule`: name and version, as `vqa/m4c`; a rule that changes its numbers changes its name.
    `values`: the numbers, headline first, in the unit the official code prints (`unit`: '%' for 0-100, '' otherwise).
    `items [n]`: each item's score in the same unit; their mean is the headline wherever the headline is a mean.
    `statistic`: the headline under item weights, from which every interval is resampled.
    `clusters [n]`: the group of each item (its image, its pair); groups are resampled whole.
    `unparsed`: answers in which the rule found none of the allowed forms. `missing`: samples without a prediction. Both
    are wrong, never dropped. `extra_ids`: predictions without a sample; they are reported and do not count.
    """

    rule: str
    values: Mapping[str, float]
    items: Floats
    statistic: Statistic
    unit: str = "%"
    clusters: NDArray[np.int64] | None = None
    unparsed: int = 0
    missing: int = 0
    notes: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    missing_ids: tuple[str, ...] = ()
    extra_ids: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def mean(cls, rule: str, name: str, items: Sequence[float] | Floats, **rest: Any) -> Result:
        """A result whose headline is the mean of the items (0 of nothing is NaN); further `values` may follow in `rest`."""
        scores = np.asarray(items, dtype=np.float64)
        values = {name: float(scores.mean()) if len(scores) else math.nan, **rest.pop("values", {})}
        return cls(rule, values, scores, weighted_mean(scores), **rest)

    @property
    def name(self) -> str:
        """The headline's name."""
        return next(iter(self.values))

    @property
    def headline(self) -> float:
        """The first of the values."""
        return self.values[self.name]

    @property
    def n(self) -> int:
        """How many items were scored, unparsed and missing ones included."""
        return len(self.items)

    def interval(self, level: float = 0.95, resamples: int = 1000, seed: int = 0) -> tuple[float, float]:
        """Percentile bootstrap interval of the headline; NaN where no resample has a value."""
        groups = self.clusters if self.clusters is not None else np.arange(self.n)
        drawn = np.concatenate([np.empty(0), *(self.statistic(w) for w in resampled_weights(groups, resamples, seed))])
        drawn = drawn[np.isfinite(drawn)]
        if not len(drawn):
            return math.nan, math.nan
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def to_json(self, level: float = 0.95, resamples: int = 1000, seed: int = 0) -> dict[str, Any]:
        """Plain JSON: everything but the per-item scores. A value that is not a number is null."""
        low, high = self.interval(level, resamples, seed)
        return {
            "rule": self.rule,
            "values": {name: finite(value) for name, value in self.values.items()},
            "unit": self.unit,
            "interval": {"of": self.name, "level": level, "low": finite(low), "high": finite(high), "resamples": resamples},
            "n": self.n,
            "unparsed": self.unparsed,
            "missing": self.missing,
            "extra": len(self.extra_ids),
            "missing_ids": list(self.missing_ids),
            "extra_ids": list(self.extra_ids),
            "notes": list(self.notes),
            **({"details": dict(self.details)} if self.details else {}),
        }


def over_runs(results: Sequence[Result]) -> Result:
    """One result of several runs over the same items: means of all values, and `deviation`, the headline's over the runs."""
    first = results[0]
    if len(results) == 1:
        return first
    heads = np.array([result.headline for result in results])
    values = {name: float(np.mean([result.values[name] for result in results])) for name in first.values}
    values = {first.name: values.pop(first.name), "deviation": float(heads.std()), **values}

    def statistic(weights: Floats) -> Floats:
        return np.asarray(np.mean([result.statistic(weights) for result in results], axis=0))

    return replace(
        first,
        values=values,
        items=np.mean([result.items for result in results], axis=0),
        statistic=statistic,
        unparsed=sum(result.unparsed for result in results),
        notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
        details={**first.details, "runs": heads.tolist()},
    )


def finite(value: float) -> float | None:
    """The value, or `None` where JSON has no number for it."""
    return value if math.isfinite(value) else None


def weighted_mean(items: Floats) -> Statistic:
    """The mean of the items as a statistic of their weights."""
    return ratio(items, np.ones_like(items))


def ratio(numerators: Floats, denominators: Floats, scale: float = 1.0) -> Statistic:
    """`scale` x sum of numerators / sum of denominators: micro averages, cIoU, precision, ..."""
    columns = np.stack([numerators, denominators], axis=1)

    def statistic(weights: Floats) -> Floats:
        sums = weights @ columns
        with np.errstate(divide="ignore", invalid="ignore"):
            return scale * sums[:, 0] / sums[:, 1]

    return statistic


def resampled_weights(groups: NDArray[Any], resamples: int, seed: int) -> Iterator[Floats]:
    """Bootstrap weights `[some, n]`, chunk by chunk: how often each item's group was drawn, groups drawn with replacement."""
    if not len(groups):
        return
    _, index = np.unique(groups, return_inverse=True)
    count = int(index.max()) + 1
    each_alone = count == len(groups)
    generator = np.random.default_rng(seed)
    chunk = max(1, min(resamples, _CHUNK // len(groups)))
    for start in range(0, resamples, chunk):
        rows = [
            np.bincount(generator.integers(count, size=count, dtype=np.int32), minlength=count)
            for _ in range(min(chunk, resamples - start))
        ]
        weights = np.stack(rows).astype(np.float64)
        yield weights if each_alone else weights[:, index]
