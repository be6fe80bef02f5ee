"""A look at a stage's first samples before anything is trained or written."""

from __future__ import annotations

from dataclasses import replace

from vistune.data.samples import Samples
from vistune.errors import InputError
from vistune.model.answering.opening import Model
from vistune.recipe import Stage
from vistune.training.objectives import stage_work

LOOKED_AT = 8


def first_look(model: Model, samples: Samples, stage: Stage, seed: int) -> None:
    """Render and prepare the first samples that the stage will read, as its first step will.

    Raises `InputError` for one that cannot be used, and when none of them has an answer to learn from.
    """
    # Without a budget: a sample too long for a row is told by its own step, with the numbers of that row.
    few = replace(stage, batch=min(stage.batch, LOOKED_AT), micro=None, max_tokens=None, max_images=None)
    try:
        work = next(stage_work(model, samples, few, seed, 0, 1))
    except InputError as error:
        raise InputError(f"stage {stage.name!r}, before anything is trained: {error}") from error
    if not any(work.counts.values()):
        raise InputError(
            f"stage {stage.name!r}: none of its first {work.samples} samples of {stage.data} has an answer to learn from:"
            " is it read by the right reader?"
        )
