"""What the raters said: means per model and criterion, preferences per pair, agreement, and intervals.

Intervals are 95 % percentile bootstraps over samples (ratings of one sample are drawn together), agreement is
Krippendorff's alpha: ordinal for 1-5 ratings, nominal for preferences.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from vistune.errors import InputError
from vistune.evals.human.agreement import krippendorff_alpha
from vistune.evals.human.ratings import Rating
from vistune.evals.human.study import Study
from vistune.evals.result import Result, ratio


@dataclass(frozen=True, slots=True)
class Report:
    """`scores[model][criterion]` and `preferences[(a, b)]` are results; `alpha` is by criterion, and for `preference`."""

    raters: Mapping[str, int]
    scores: Mapping[str, Mapping[str, Result]]
    preferences: Mapping[tuple[str, str], Result]
    alpha: Mapping[str, float]
    missing: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; an undefined alpha is null."""
        return {
            "raters": dict(self.raters),
            "scores": {model: {name: result.to_json() for name, result in row.items()} for model, row in self.scores.items()},
            "preferences": [{"first": a, "second": b, **result.to_json()} for (a, b), result in self.preferences.items()],
            "alpha": {name: None if math.isnan(value) else value for name, value in self.alpha.items()},
            "missing": dict(self.missing),
        }


def make_report(study: Study, ratings: Sequence[Rating]) -> Report:
    """Summarise the ratings of a study. Raises `InputError` when there are none."""
    if not ratings:
        raise InputError("nobody has rated anything yet: open the page that `vistune human serve` names")
    raters: dict[str, int] = defaultdict(int)
    for rating in ratings:
        raters[rating.rater] += 1
    rated = [rating for rating in ratings if rating.task.ask == "rate"]
    compared = [rating for rating in ratings if rating.task.ask == "compare"]
    return Report(
        raters=dict(sorted(raters.items())),
        scores={model: _scores(study, [rating for rating in rated if rating.task.models == (model,)]) for model in study.models}
        if rated
        else {},
        preferences={
            pair: _preference(pair, chosen)
            for pair in combinations(study.models, 2)
            if (chosen := [rating for rating in compared if set(rating.task.models) == set(pair)])
        },
        alpha=_agreement(study, rated, compared),
        missing=study.missing,
    )


def _scores(study: Study, ratings: Sequence[Rating]) -> dict[str, Result]:
    clusters = np.array([rating.task.item for rating in ratings], dtype=np.int64)
    return {
        name: Result.mean(
            "human/likert-5", name, [float(rating.scores[name]) for rating in ratings], unit="", clusters=clusters
        )
        for name in study.criteria
    }


def _preference(pair: tuple[str, str], ratings: Sequence[Rating]) -> Result:
    """How often the first of the pair was preferred, in percent of all comparisons; a tie is half a win for each."""
    wins = np.array([_share(pair[0], rating) for rating in ratings])
    return Result(
        rule="human/preference",
        values={
            "preferred": float(100 * wins.mean()),
            "wins": float((wins == 1).sum()),
            "ties": float((wins == 0.5).sum()),
            "losses": float((wins == 0).sum()),
        },
        items=100 * wins,
        statistic=ratio(wins, np.ones_like(wins), scale=100),
        clusters=np.array([rating.task.item for rating in ratings], dtype=np.int64),
    )


def _share(model: str, rating: Rating) -> float:
    if rating.preference == "tie":
        return 0.5
    return float(rating.task.models[rating.preference == "second"] == model)


def _agreement(study: Study, rated: Sequence[Rating], compared: Sequence[Rating]) -> dict[str, float]:
    alpha = {}
    if rated:
        answers: dict[Any, list[Rating]] = defaultdict(list)
        for rating in rated:
            answers[rating.task].append(rating)
        for name in study.criteria:
            units = [[float(rating.scores[name]) for rating in unit] for unit in answers.values()]
            alpha[name] = krippendorff_alpha(units, "ordinal")
    if compared:
        pairs: dict[Any, list[float]] = defaultdict(list)
        for rating in compared:  # raters saw the pair in either order: agreement is on the model, not on the side
            pair = tuple(sorted(rating.task.models))
            pairs[rating.task.item, pair].append(_share(pair[0], rating))
        alpha["preference"] = krippendorff_alpha(list(pairs.values()), "nominal")
    return alpha


def markdown(report: Report) -> str:
    """The report as Markdown tables."""
    lines = [f"{sum(report.raters.values())} ratings by {len(report.raters)} rater(s): {_counts(report.raters)}", ""]
    if report.scores:
        criteria = list(next(iter(report.scores.values())))
        lines += ["| model | n | " + " | ".join(criteria) + " |", "|---|---|" + "---|" * len(criteria)]
        for model, row in report.scores.items():
            cells = [f"{result.headline:.2f} {_interval(result)}" if result.n else "-" for result in row.values()]
            lines.append(f"| {model} | {next(iter(row.values())).n} | " + " | ".join(cells) + " |")
        lines.append("")
    if report.preferences:
        lines += ["| A | B | n | A preferred | wins / ties / losses |", "|---|---|---|---|---|"]
        for (first, second), result in report.preferences.items():
            counts = " / ".join(f"{result.values[name]:.0f}" for name in ("wins", "ties", "losses"))
            lines.append(f"| {first} | {second} | {result.n} | {result.headline:.1f} % {_interval(result)} | {counts} |")
        lines.append("")
    alpha = ", ".join(f"{name} {'undefined' if math.isnan(value) else f'{value:.3f}'}" for name, value in report.alpha.items())
    lines.append(f"Krippendorff's alpha: {alpha}.")
    if any(report.missing.values()):
        lines.append(f"Samples left out because a model gave no answer: {_counts(report.missing)}.")
    return "\n".join(lines) + "\n"


def _interval(result: Result) -> str:
    low, high = result.interval()
    return f"[{low:.2f}, {high:.2f}]"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
