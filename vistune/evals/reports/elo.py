"""Elo ratings from pairwise outcomes, averaged over orders of play, with bootstrap intervals (as in VisIT-Bench, 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vistune.errors import InputError

START = 1000.0
SCALE = 400.0  # a difference this large means ten to one


@dataclass(frozen=True, slots=True)
class Match:
    """One comparison: `share` is what `first` won of it, 1 all, 0.5 a tie, 0 nothing."""

    first: str
    second: str
    share: float


@dataclass(frozen=True, slots=True)
class Standing:
    """A model's rating, its 95 % interval, and how many matches it played."""

    model: str
    rating: float
    low: float
    high: float
    matches: int


def elo(matches: Sequence[Match], k: float = 4.0, resamples: int = 200, seed: int = 0) -> list[Standing]:
    """Standings, best first.

    Elo depends on the order of play, so matches are played in `resamples` random orders of matches drawn with replacement;
    the rating is their median, the interval their 2.5 and 97.5 percentiles. `k` is how far one match moves a rating: small,
    because the models do not change between matches. Raises `InputError` when there are no matches.
    """
    if not matches:
        raise InputError("Elo needs at least one decided comparison")
    models = sorted({name for match in matches for name in (match.first, match.second)})
    index = {name: number for number, name in enumerate(models)}
    first = np.array([index[match.first] for match in matches])
    second = np.array([index[match.second] for match in matches])
    share = np.array([match.share for match in matches])
    generator = np.random.default_rng(seed)
    drawn = generator.integers(len(matches), size=(resamples, len(matches)))
    ratings = np.full((resamples, len(models)), START)
    play = np.arange(resamples)
    for step in range(len(matches)):  # one match in every resample at once
        a, b, won = first[drawn[:, step]], second[drawn[:, step]], share[drawn[:, step]]
        expected = 1 / (1 + 10 ** ((ratings[play, b] - ratings[play, a]) / SCALE))
        ratings[play, a] += k * (won - expected)
        ratings[play, b] -= k * (won - expected)
    low, middle, high = np.quantile(ratings, [0.025, 0.5, 0.975], axis=0)
    played = np.bincount(np.concatenate([first, second]), minlength=len(models))
    standings = [
        Standing(name, float(middle[number]), float(low[number]), float(high[number]), int(played[number]))
        for number, name in enumerate(models)
    ]
    return sorted(standings, key=lambda standing: -standing.rating)
