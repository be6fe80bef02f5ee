"""Grades that people gave, beside the answers of an official file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vistune.errors import InputError
from vistune.evals.prediction import Prediction

GRADES = ("A", "B", "C", "D")


def graded(predictions: Sequence[Prediction] | None) -> list[Prediction] | None:
    """Predictions whose extra `grade` is one of A to D, in capitals; `None` stays. Raises `InputError` for another grade."""
    return None if predictions is None else [_checked(prediction) for prediction in predictions]


def _checked(prediction: Prediction) -> Prediction:
    grade = prediction.extras.get("grade")
    if grade is None:
        return prediction
    if not isinstance(grade, str) or grade.strip().upper() not in GRADES:
        raise InputError(f"prediction {prediction.id!r}: the grade is {str(grade)[:40]!r}, expected one of A, B, C, D")
    return replace(prediction, extras={**prediction.extras, "grade": grade.strip().upper()})
