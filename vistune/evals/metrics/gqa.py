"""GQA (Hudson & Manning, CVPR 2019): accuracy by type of question, and what its evaluation measures beside it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vistune.evals.metrics.exact_match import NORMALISATIONS
from vistune.evals.metrics.groups import group_means
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Floats, Result, ratio


@dataclass(frozen=True, slots=True)
class GqaQuestion:
    """What the evaluation reads of a question.

    `answer_group` is that whose answers are compared as a distribution (`groups.global`), '' for none; `steps` and `words` are
    the question's lengths; `entailed` are ids of questions whose answers follow; `valid` and `plausible` are the answers that
    the choices' file allows, `None` without one. Questions that are not `balanced` count for consistency alone.
    """

    identifier: str
    answer: str
    structural: str = ""
    semantic: str = ""
    answer_group: str = ""
    steps: int = 0
    words: int = 0
    balanced: bool = True
    entailed: tuple[str, ...] = ()
    valid: frozenset[str] | None = None
    plausible: frozenset[str] | None = None


def gqa(predictions: Sequence[str | None], questions: Sequence[GqaQuestion]) -> Result:
    """Accuracy of the balanced questions in percent, then of binary and open ones and of every structural and semantic type.

    Where the questions allow it, also consistency (of right answers, how many entailed ones are right), validity and
    plausibility, in percent, and the distance of the answers' distributions (`distribution`, chi-square, lower is better).
    Accuracy by reasoning steps and by words is in the details. Before the comparison the answers' final periods and case go,
    as LLaVA submits them; `None` is a missing answer and wrong.
    """
    normalise = NORMALISATIONS["gqa"]
    said = [None if answer is None else normalise(answer) for answer, _ in aligned(predictions, questions)]
    right = np.array([100.0 * (answer == normalise(q.answer)) for answer, q in zip(said, questions, strict=True)])
    balanced = np.array([float(question.balanced) for question in questions])
    kept = [index for index, question in enumerate(questions) if question.balanced]
    scores, asked = right[kept], [questions[index] for index in kept]
    given = [said[index] for index in kept]
    values = {
        "accuracy": float(scores.mean()) if len(scores) else float("nan"),
        **group_means(scores, [("open" if question.structural == "query" else "binary",) for question in asked]),
        **_by(scores, [question.structural for question in asked], "structural"),
        **_by(scores, [question.semantic for question in asked], "semantic"),
        **_consistency(right, questions),
        **_among(given, [question.valid for question in asked], "validity"),
        **_among(given, [question.plausible for question in asked], "plausibility"),
        **_distribution(given, asked),
    }
    lengths = {
        "steps": group_means(scores, [(str(question.steps),) for question in asked]),
        "words": group_means(scores, [(str(question.words),) for question in asked]),
    }
    return Result(
        "gqa/official", values, right, ratio(right * balanced, balanced), missing=missing(predictions), details=lengths
    )


def _by(scores: Floats, groups: Sequence[str], what: str) -> dict[str, float]:
    means = group_means(scores, [(group,) if group else () for group in groups])
    return {f"{what}_{group}": means[group] for group in sorted(means)}


def _consistency(right: Floats, questions: Sequence[GqaQuestion]) -> dict[str, float]:
    """Of every balanced question that is answered rightly, the share of its entailed ones that are; their mean."""
    places = {question.identifier: index for index, question in enumerate(questions)}
    shares = []
    for index, question in enumerate(questions):
        # The file lists a question among those it entails; counting it would raise everybody's consistency.
        entailed = [places[name] for name in question.entailed if name != question.identifier and name in places]
        if question.balanced and right[index] and entailed:
            shares.append(float(np.mean(right[entailed])))
    return {"consistency": float(np.mean(shares))} if shares else {}


def _among(said: Sequence[str | None], allowed: Sequence[frozenset[str] | None], name: str) -> dict[str, float]:
    if not allowed or any(answers is None for answers in allowed):
        return {}
    return {name: float(np.mean([100.0 * (answer in (answers or ())) for answer, answers in zip(said, allowed, strict=True)]))}


def _distribution(said: Sequence[str | None], questions: Sequence[GqaQuestion]) -> dict[str, float]:
    """The chi-square statistic of each group's answers against the true ones, weighed by the group's size, over 100."""
    gold: Mapping[str, Counter[str]] = defaultdict(Counter)
    ours: Mapping[str, Counter[str | None]] = defaultdict(Counter)
    for answer, question in zip(said, questions, strict=True):
        if question.answer_group:
            gold[question.answer_group][NORMALISATIONS["gqa"](question.answer)] += 1
            ours[question.answer_group][answer] += 1
    if not gold:
        return {}
    total = sum(counts.total() for counts in gold.values())
    weighed = sum(
        # Only over true answers: one that is never true has no expected count to be divided by.
        counts.total() * sum((ours[group][answer] - count) ** 2 / count for answer, count in counts.items())
        for group, counts in gold.items()
    )
    return {"distribution": weighed / total / 100}
