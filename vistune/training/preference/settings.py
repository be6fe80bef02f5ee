"""What a stage says of preference tuning: `preference: {losses: {sigmoid: 1.0}, beta: 0.1, reference: auto}`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from vistune.errors import InputError, nearest
from vistune.recipe import Stage
from vistune.spec import check_arguments
from vistune.training.preference.losses import LOSSES, SFT

Reference: TypeAlias = Literal["auto", "adapters", "copy", "kept"]
Unseen: TypeAlias = Literal["crop", "black"]


@dataclass(frozen=True, kw_only=True)
class Preference:
    """How pairs become a loss.

    losses:           names of `vistune.training.preference.losses` with their weights, added up (MPO, arXiv 2411.10442, is
                      `{sigmoid: 0.8, bco_pair: 0.2, sft: 1.0}`); ORPO is `{odds_ratio: 1, sft: 1}`, mDPO
                      `{sigmoid: 1, image: 1, anchor: 1}`
    beta:             how much the policy may leave the reference
    label_smoothing:  the share of pairs whose order is wrong
    gamma:            SimPO's margin, over beta
    tau:              DiscoPOP's temperature
    average:          log-probabilities a token, not an answer (RLAIF-V's `dpo_use_average`)
    reference:        `adapters`: the weights without their adapters; `copy`: a copy of what is trained;
                      `kept`: log-probabilities of the pairs, computed once before the first step;
                      `auto`: adapters where nothing else is trained, else kept
    unseen:           what the loss `image` takes away of the picture: all but a fifth of it, or all of it
    """

    losses: Mapping[str, float] = field(default_factory=lambda: {"sigmoid": 1.0})
    beta: float = 0.1
    label_smoothing: float = 0.0
    gamma: float = 0.5
    tau: float = 0.05
    average: bool = False
    reference: Reference = "auto"
    unseen: Unseen = "crop"

    @property
    def compares(self) -> bool:
        """Whether any of the losses asks a reference."""
        return any(LOSSES[name].reference for name in self.losses if name != SFT)

    @property
    def hides(self) -> bool:
        """Whether any of the losses takes the picture away."""
        return "image" in self.losses


def settings_of(stage: Stage) -> Preference | None:
    """The stage's settings, checked; None for a stage without preferences. Raises `InputError` for what makes no sense."""
    if stage.preference is None:
        return None
    where = f"stage {stage.name!r}: preference"
    check_arguments(Preference, stage.preference, where)
    made = Preference(**stage.preference)
    known = [*LOSSES, SFT]
    for name, weight in made.losses.items():
        if name not in known:
            raise InputError(f"{where}.losses has no {name!r}{nearest(name, known)}")
        if not 0 < weight < math.inf:
            raise InputError(f"{where}.losses.{name} is {weight}, expected a weight above 0")
    if not made.losses or set(made.losses) == {SFT}:
        raise InputError(f"{where}.losses compares no answers: give it one of {', '.join(LOSSES)}")
    for key, good, range_ in (
        ("beta", 0 < made.beta < math.inf, "a number above 0"),
        ("label_smoothing", 0 <= made.label_smoothing < 0.5, "a share below one half"),
        ("tau", 0 < made.tau < math.inf, "a number above 0"),
    ):
        if not good:
            raise InputError(f"{where}.{key} is {getattr(made, key)}, expected {range_}")
    if made.label_smoothing == 0 and "exo_pair" in made.losses:
        raise InputError(f"{where}: exo_pair needs label_smoothing above 0: it takes the logarithm of it")
    return made
