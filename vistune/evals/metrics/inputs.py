"""What metrics share about their inputs: `None` is a missing prediction, and the two lists have one length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from vistune.errors import InputError, nearest

P = TypeVar("P")
R = TypeVar("R")


def aligned(predictions: Sequence[P], references: Sequence[R]) -> Iterator[tuple[P, R]]:
    """Pairs of both lists. Raises `InputError` when one is longer."""
    if len(predictions) != len(references):
        raise InputError(
            f"{len(predictions)} predictions for {len(references)} references: one each is needed (None where missing)"
        )
    return zip(predictions, references, strict=True)


def missing(predictions: Sequence[object]) -> int:
    """How many predictions are absent."""
    return sum(prediction is None for prediction in predictions)


def chosen(rules: Mapping[str, R], rule: str, metric: str) -> R:
    """The variant of a metric that a rule's name asks for. Raises `InputError` with the nearest name."""
    if rule not in rules:
        raise InputError(f"{metric} has no rule {rule!r}{nearest(rule, list(rules))}")
    return rules[rule]
