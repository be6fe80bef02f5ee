"""Answers graded A to D by people (Ye et al., mPLUG-Owl, 2023): A right, B right with flaws, C wrong, D invalid."""

from __future__ import annotations

from collections.abc import Sequence

from vistune.evals.metrics.groups import group_means
from vistune.evals.prediction import Prediction
from vistune.evals.reading.grades import GRADES, graded
from vistune.evals.result import Result


def grades(name: str, predictions: Sequence[Prediction | None], groups: Sequence[Sequence[str]]) -> Result:
    """Share of A and B in percent, then of each grade and, of A and B, of each group an item belongs to.

    An answer without a grade is unparsed, and none of A and B: these numbers are people's, and no rule stands in for them.
    """
    given = [
        None if prediction is None else (graded([prediction]) or [prediction])[0].extras.get("grade")
        for prediction in predictions
    ]
    present = [prediction for prediction in predictions if prediction is not None]
    scores = [100.0 * (grade in ("A", "B")) for grade in given]
    shares = {grade: 100.0 * given.count(grade) / len(given) for grade in GRADES} if given else {}
    return Result.mean(
        f"{name}/human-grades",
        "A or B",
        scores,
        values={**shares, **group_means(scores, groups)},
        missing=len(given) - len(present),
        notes=() if any(given) else ("no answer has a grade from A to D, which people give: this is no result",),
        unparsed=sum(grade is None for grade, prediction in zip(given, predictions, strict=True) if prediction is not None),
    )
