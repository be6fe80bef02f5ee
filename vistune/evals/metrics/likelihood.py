"""Scores from likelihoods: perplexity, and multiple choice by ranking the options."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from vistune.errors import InputError
from vistune.evals.metrics.inputs import aligned
from vistune.evals.result import Floats, Result


def perplexity(log_likelihoods: Sequence[float], tokens: Sequence[int]) -> Result:
    """exp(-sum of log-likelihoods / sum of tokens), natural logarithms; an item's score is its own perplexity.

    Raises `InputError` for a value that is not finite and for a text without tokens.
    """
    for number, (value, count) in enumerate(aligned(log_likelihoods, tokens)):
        if not math.isfinite(value) or count < 1:
            raise InputError(
                f"text {number} has log-likelihood {value} over {count} tokens; both must be finite, tokens at least 1"
            )
    columns = np.array([log_likelihoods, tokens], dtype=np.float64).T.reshape(-1, 2)

    def statistic(weights: Floats) -> Floats:
        sums = weights @ columns
        return np.exp(-sums[:, 0] / sums[:, 1])

    headline = float(statistic(np.ones((1, len(columns))))[0]) if len(columns) else math.nan
    items = np.exp(-columns[:, 0] / columns[:, 1])
    return Result("perplexity/token", {"perplexity": headline}, items, statistic, unit="", details={"lower_is_better": True})


def option_ranking(
    options: Sequence[Sequence[float] | None],
    references: Sequence[int],
    tokens: Sequence[Sequence[int]] = (),
    rule: Literal["sum", "mean"] = "sum",
) -> Result:
    """Accuracy in percent of choosing the likeliest option.

    `options[i]`: log-likelihood of each option of question i (`None` when missing); `mean` divides by its `tokens`, so that
    long options are not at a disadvantage. A right option that only ties with another is wrong. Raises `InputError` for
    NaN, and for a reference that is no option.
    """
    if rule == "mean" and len(tokens) != len(options):
        raise InputError("the rule 'mean' needs the token count of every option")
    scores = []
    for number, (given, truth) in enumerate(aligned(options, references)):
        if given is None:
            scores.append(0.0)
            continue
        values = np.array(given, dtype=np.float64) / (np.array(tokens[number]) if rule == "mean" else 1)
        if np.isnan(values).any() or not 0 <= truth < len(values):
            raise InputError(f"question {number}: likelihoods {list(given)} for right option {truth}")
        # Strictly less: a model that finds all options equally likely knows nothing and gets no point.
        scores.append(100.0 * bool((np.delete(values, truth) < values[truth]).all()))
    return Result.mean(f"option_ranking/{rule}", "accuracy", scores, missing=sum(given is None for given in options))
