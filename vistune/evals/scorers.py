"""Metrics applied to samples: what several benchmarks score by, once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vistune.errors import InputError
from vistune.evals.benchmark import answers
from vistune.evals.judges.base import Judge, judged, verdicts
from vistune.evals.metrics.captions import captions
from vistune.evals.metrics.exact_match import exact_match
from vistune.evals.metrics.groups import group_means, numbered
from vistune.evals.metrics.multiple_choice import multiple_choice
from vistune.evals.prediction import Prediction
from vistune.evals.result import Floats, Result
from vistune.sample import Sample

Predictions = Sequence[Prediction | None]


def score_captions(samples: Sequence[Sample], predictions: Predictions, metrics: Sequence[str]) -> Result:
    """The caption suite against every accepted answer."""
    return captions(answers(predictions), [sample.answers for sample in samples], metrics)


def with_spider(result: Result) -> Result:
    """The result with SPIDEr, the mean of CIDEr-D and SPICE (Liu et al., ICCV 2017), where it has both."""
    if not {"CIDEr", "SPICE"} <= result.values.keys():
        return result
    both = (result.values["CIDEr"] + result.values["SPICE"]) / 2
    return replace(result, values={**result.values, "SPIDEr": both})


def score_exact(samples: Sequence[Sample], predictions: Predictions, rule: str) -> Result:
    """Exact match with any accepted answer."""
    return exact_match(answers(predictions), [sample.answers for sample in samples], rule)


def score_letters(samples: Sequence[Sample], predictions: Predictions, rule: str) -> Result:
    """Multiple choice; a sample's first answer is the right letter."""
    letters = [sample.answers[0] for sample in samples]
    return multiple_choice(answers(predictions), letters, [sample.choices for sample in samples], rule)


def with_means(result: Result, samples: Sequence[Sample], *keys: str) -> Result:
    """The result with the mean item score for every value that a `meta` key takes; samples without the key join none."""
    groups = [[str(sample.meta[key]) for key in keys if key in sample.meta] for sample in samples]
    return replace(result, values={**result.values, **group_means(result.items, groups)})


def macro(result: Result, groups: Sequence[Hashable], name: str) -> Result:
    """The result with the mean of the groups' means as headline, under `name`, and its old headline as `micro`."""
    numbers = numbered(groups)
    count = int(numbers.max(initial=-1)) + 1
    members = np.zeros((len(numbers), count))
    members[np.arange(len(numbers)), numbers] = 1.0

    def mean_of_means(weights: Floats) -> Floats:
        totals = weights @ members
        with np.errstate(invalid="ignore"):
            means = (weights @ (members * result.items[:, None])) / totals
        return np.asarray(np.nanmean(means, axis=1))  # a group that a resample left out

    headline = float(mean_of_means(np.ones((1, len(numbers))))[0]) if count else float("nan")
    rest = {key: value for key, value in result.values.items() if key != result.name}
    return replace(
        result, values={name: headline, "micro": result.headline, **rest}, statistic=mean_of_means, rule=f"{result.rule}/macro"
    )


def judged_before(predictions: Predictions) -> list[Any] | None:
    """The verdicts that official judged files carry (the extra `judgement`), `None` where there are none.

    Raises `InputError` when some predictions have one and others do not.
    """
    given = [prediction for prediction in predictions if prediction is not None]
    judged = ["judgement" in prediction.extras for prediction in given]
    if not any(judged):
        return None
    if not all(judged):
        raise InputError(f"prediction {given[judged.index(False)].id!r} has no judgement, but others have: judge all or none")
    return [None if prediction is None else prediction.extras["judgement"] for prediction in predictions]


def score_judged(
    judge: Judge, samples: Sequence[Sample], predictions: Predictions, replies: str, by_rule: Result | None = None
) -> Result:
    """A judge's number from its kept replies, with the rule's number beside it where there is one.

    Raises `InputError` when a reply is missing.
    """
    result = judged(judge, samples, predictions, verdicts(judge, samples, predictions, replies), replies)
    if by_rule is None:
        return result
    return replace(result, values={**result.values, f"{by_rule.rule} (rule)": by_rule.headline})


def score_stored(rule: str, verdict: str, predictions: Predictions) -> Result:
    """The verdicts that an official output file carries: the extra `verdict`, true or false.

    A prediction without one is unparsed and wrong. Raises `InputError` when none has one, and for another value.
    """
    given = [None if prediction is None else prediction.extras.get(verdict) for prediction in predictions]
    if all(value is None for value in given):
        raise InputError(f"no prediction has a stored verdict ({verdict!r}): only official output files can be scored by it")
    for prediction, value in zip(predictions, given, strict=True):
        if prediction is not None and not isinstance(value, bool | None):
            raise InputError(f"prediction {prediction.id!r}: the verdict {verdict!r} is {str(value)[:60]!r}, not true or false")
    without = given.count(None) - predictions.count(None)
    missing = predictions.count(None)
    return Result.mean(
        f"{rule}/stored", "accuracy", [100.0 * bool(value) for value in given], unparsed=without, missing=missing
    )
