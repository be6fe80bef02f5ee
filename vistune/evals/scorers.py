"""Metrics applied to samples: what several benchmarks score by, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vistune.evals.benchmark import answers
from vistune.evals.metrics.captions import captions
from vistune.evals.metrics.exact_match import exact_match
from vistune.evals.metrics.groups import group_means
from vistune.evals.metrics.multiple_choice import multiple_choice
from vistune.evals.prediction import Prediction
from vistune.evals.result import Result
from vistune.sample import Sample

Predictions = Sequence[Prediction | None]


def score_captions(samples: Sequence[Sample], predictions: Predictions, metrics: Sequence[str]) -> Result:
    """The caption suite against every accepted answer."""
    return captions(answers(predictions), [sample.answers for sample in samples], metrics)


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
