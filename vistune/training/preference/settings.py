"""What a stage says of preference tuning: `preference: {losses: {sigmoid: 1.0}, beta: 0.1, reference: auto}`."""

from __future__ import annotations

import math

from vistune.errors import InputError, nearest
from vistune.recipe import Stage
from vistune.spec import check_arguments
from vistune.training.preference.losses import LOSSES, SFT, Preference


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
    # Cross-entropy alone is what a stage without preferences does, and faster.
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
