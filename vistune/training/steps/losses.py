"""The weights of a stage's losses: the published ones of the model's heads, replaced by the stage's own."""

from __future__ import annotations

from vistune.errors import InputError, nearest
from vistune.model.trainable import AnyTrainable
from vistune.recipe import Stage


def loss_weights(model: AnyTrainable, stage: Stage) -> dict[str, float]:
    """Weights by the names of all losses that `model` can give. Raises `InputError` for a name that is none of them."""
    known = model.losses
    for name in stage.losses:
        if name not in known:
            raise InputError(f"stage {stage.name!r}: losses has no {name!r}{nearest(name, list(known))}")
    return {**known, **stage.losses}
