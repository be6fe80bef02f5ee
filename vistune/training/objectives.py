"""What a stage computes of its samples: the model's own losses, or those of pairs of answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vistune.data.samples import Samples
from vistune.model.answering.opening import Model
from vistune.model.heads.base import Loss
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Stage
from vistune.training.distributed import ALONE, Ranks
from vistune.training.kinds import of_parts
from vistune.training.preference.kept import reference_of
from vistune.training.preference.objective import Objective
from vistune.training.preference.pairs import pairs_of_steps
from vistune.training.preference.settings import settings_of
from vistune.training.steps.precision import Precision
from vistune.training.steps.shares import Shares
from vistune.training.steps.work import Work, work_of_steps


class Losses:
    """Named losses of a packed row, and what is logged of it beside them (sums over samples)."""

    def __init__(self, of: Callable[[Any], dict[str, Loss]], taken: Callable[[], dict[str, float]] = dict) -> None:
        self.of, self.taken = of, taken


def stage_work(
    model: Model,
    samples: Samples,
    stage: Stage,
    seed: int,
    first: int,
    steps: int,
    ranks: Ranks = ALONE,
    shares: Shares | None = None,
) -> Iterator[Work[Any]]:
    """This process's part of each step's work, in order, from step `first` on."""
    told = settings_of(stage)
    if told is None:
        return work_of_steps(model, samples, stage, seed, first, steps, ranks, shares)
    return pairs_of_steps(_parts(model), samples, stage, told, seed, first, steps, ranks)


def stage_losses(
    model: Model,
    samples: Samples,
    stage: Stage,
    trained: frozenset[str],
    seed: int,
    steps: int,
    folder: Path,
    precision: Precision,
    ranks: Ranks,
) -> Losses:
    """The losses of a stage, called with the weights it begins with: a reference is taken of them, or read from `folder`."""
    told = settings_of(stage)
    if told is None:
        return Losses(model)
    parts = _parts(model)
    objective = Objective(parts, told, trained)
    if told.compares and objective.how == "kept":
        file = folder / "reference.json"
        objective.kept = reference_of(parts, samples, stage, told, seed, steps, file, precision, ranks)
    return Losses(objective, objective.taken)


def _parts(model: Model) -> VisionLanguageModel:
    parts = of_parts(model)
    assert parts is not None, "`check_stage` has refused pairs for other models"
    return parts
