"""Sensitivity to wording (Xu et al., MultiInstruct, ACL 2023, section 4.3): how much a score moves with the instruction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vistune.errors import InputError
from vistune.evals.result import Result


def sensitivity(scores: Mapping[str, Sequence[float]]) -> Result:
    """Mean over tasks of standard deviation over mean, in percent; lower is better.

    `scores`: task -> its score under each wording of the instruction (at least two, same samples). The deviation is that
    of the population, as in the paper's code. A task whose mean is zero has no relative deviation: an `InputError`.
    """
    items = []
    for task, values in scores.items():
        if len(values) < 2:
            raise InputError(f"task {task!r} has {len(values)} wordings; sensitivity compares at least 2")
        mean = float(np.mean(values))
        if not np.isfinite(values).all() or mean == 0:
            raise InputError(f"task {task!r} has the scores {list(values)}: they must be finite, and not all zero")
        items.append(100.0 * float(np.std(values)) / mean)
    return Result.mean("sensitivity/multi-instruct", "sensitivity", items, ids=tuple(scores), details={"lower_is_better": True})
