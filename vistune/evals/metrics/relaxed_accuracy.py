"""Relaxed accuracy (Methani et al., PlotQA, 2020; Masry et al., ChartQA, 2022): numbers may be 5 % off."""

from __future__ import annotations

from collections.abc import Sequence

from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result

TOLERANCE = 0.05


def relaxed_accuracy(
    predictions: Sequence[str | None], references: Sequence[Sequence[str]], tolerance: float = TOLERANCE
) -> Result:
    """Percentage of answers right against any reference; `None` is a missing answer and wrong."""
    scores = [
        100.0 * (prediction is not None and any(relaxed_match(prediction, target, tolerance) for target in accepted))
        for prediction, accepted in aligned(predictions, references)
    ]
    return Result.mean("relaxed/pix2struct", "relaxed_accuracy", scores, missing=missing(predictions))


def relaxed_match(answer: str, target: str, tolerance: float = TOLERANCE) -> bool:
    """Is the answer within the tolerance of the target? '12%' is 0.12.

    A target of zero, and whatever is no number, needs the same text but for case: '0.0' does not match '0'.
    """
    number, wanted = _number(answer), _number(target)
    if number is None or not wanted:
        return answer.lower() == target.lower()
    return abs(number - wanted) / abs(wanted) <= tolerance


def _number(text: str) -> float | None:
    try:
        return float(text.rstrip("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None
