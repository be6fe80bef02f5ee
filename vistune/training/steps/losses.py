"""The weights of a stage's losses: the published ones of the model's heads, replaced by the stage's own."""

from __future__ import annotations

from vistune.errors import InputError, nearest
from vistune.model.trainable import AnyTrainable
from vistune.recipe import Stage
from vistune.training.preference.losses import SFT


def loss_weights(model: AnyTrainable, stage: Stage) -> dict[str, float]:
    """Weights by the names of all losses that `model` can give. Raises `InputError` for a name that is none of them."""
    known = model.losses
    if stage.preference is not None:
        known = {"preference": 1.0, SFT: 1.0}  # their own weights stand in stage.preference
    for name in stage.losses:
        if name not in known:
            raise InputError(f"stage {stage.name!r}: losses has no {name!r}{nearest(name, list(known))}")
    return {**known, **stage.losses}
