"""CircularEval (Liu et al., MMBench, ECCV 2024): a question counts when every rotation of its options is answered right."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np

from vistune.evals.metrics.groups import all_right, numbered
from vistune.evals.result import Floats, Result

MMBENCH_STRIDE = 1_000_000  # MMBench numbers rotation r of question q as q + r x 1e6


def circular(result: Result, questions: Sequence[Hashable]) -> Result:
    """CircularEval of a result whose items are single passes (0 is wrong); `questions[i]` is the question of pass i.

    The pass accuracy stays beside it, as `vanilla`. A missing pass is wrong, so its question is.
    """
    group = numbered(questions)
    solved = 100 * all_right(result.items, group)

    def statistic(weights: Floats) -> Floats:
        # Weights are given by passes; all passes of a question are drawn together, so their mean is the question's weight.
        per_question = np.stack([np.bincount(group, row) for row in weights]) / np.bincount(group)
        with np.errstate(invalid="ignore"):
            return np.asarray(per_question @ solved / per_question.sum(axis=1))

    return replace(
        result,
        rule=f"circular({result.rule})",
        values={"circular": float(solved.mean()) if len(solved) else float("nan"), "vanilla": result.headline},
        items=solved[group] if len(group) else result.items,
        statistic=statistic,
        clusters=group,
    )
