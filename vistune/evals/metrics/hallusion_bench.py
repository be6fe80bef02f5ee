"""HallusionBench (Guan et al., CVPR 2024): accuracy per question, per question over its figures, per figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vistune.evals.metrics.groups import all_right, numbered
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Floats, Result

Judgement: TypeAlias = Literal[0, 1, 2]  # wrong, right, unclear

_YES_NO = re.compile(r"\W*(yes|no)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """One row: `category` is VD (visual dependent) or VS (visual supplement), `yes` the true answer.

    `visual_input` is 0 without a figure, 1 with the original, 2 with an edited one.
    """

    category: str
    subcategory: str
    set_id: str
    figure_id: str
    question_id: str
    visual_input: int
    yes: bool

    @property
    def without_figure(self) -> bool:
        """A question of visual supplement asked without its figure: 'unclear' is right, and it belongs to no figure."""
        return self.category == "VS" and self.figure_id == "0"


def judge_yes_no(reply: str, yes: bool) -> Judgement:
    """A judgement without a judge: the reply's first word is 'yes' or 'no', or it is unclear."""
    found = _YES_NO.match(reply)
    if found is None:
        return 2
    return 1 if (found[1].lower() == "yes") == yes else 0


def hallusion_bench(judgements: Sequence[Judgement | None], questions: Sequence[Question], unparsed: int = 0) -> Result:
    """aAcc (all questions), qAcc, fAcc, easy and hard in percent, and the two measures of yes bias as fractions.

    `yes_diff`: how much oftener than true the model says yes. `fp_ratio`: the share of its errors that say yes to a no.
    `None` is a missing answer and wrong.
    """
    right = np.array([_is_right(judgement, question) for judgement, question in aligned(judgements, questions)], dtype=float)
    pairs = numbered([(q.category, q.subcategory, q.set_id, q.question_id) for q in questions])
    figures = numbered([(q.category, q.subcategory, q.set_id, q.figure_id) for q in questions])
    shown = np.array([not question.without_figure for question in questions], dtype=bool)
    hard = np.array([question.visual_input == 2 for question in questions], dtype=bool)
    true_yes = np.array([question.yes for question in questions], dtype=bool)
    wrong = right == 0
    return Result.mean(
        "hallusionbench/official",
        "aAcc",
        100 * right,
        values={
            "qAcc": _all_right(right, pairs),
            "fAcc": _all_right(right[shown], figures[shown]),
            "easy": _all_right(right[~hard], pairs[~hard]),
            "hard": _all_right(right[hard], pairs[hard]),
            "yes_diff": _mean((right == true_yes).astype(float)) - _mean(true_yes.astype(float)),
            "fp_ratio": _mean((~true_yes[wrong]).astype(float)),
        },
        # Questions of a set share their figures, so a resample draws sets: single questions would make the interval too
        # narrow.
        clusters=numbered([(q.category, q.subcategory, q.set_id) for q in questions]),
        missing=missing(judgements),
        unparsed=unparsed,
    )


def _is_right(judgement: Judgement | None, question: Question) -> bool:
    return judgement == 1 or (judgement == 2 and question.without_figure)


def _all_right(right: Floats, groups: NDArray[np.int64]) -> float:
    """Percentage of the groups present whose questions are all right."""
    # Renumbered, since of a subset (the edited figures) some groups are not there at all.
    return 100 * _mean(all_right(right, np.unique(groups, return_inverse=True)[1]))


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")
