"""Which settings of a stage a kind of model does not know."""

from __future__ import annotations

from vistune.errors import InputError
from vistune.model.answering.opening import Model
from vistune.model.native.model import NativeModel
from vistune.recipe import Stage
from vistune.training.distributed import Ranks


def check_stage(model: Model, stage: Stage, ranks: Ranks) -> None:
    """Raises `InputError` for settings that only a model made of parts has, given to one that is taken whole."""
    if not isinstance(model, NativeModel):
        return
    where = f"stage {stage.name!r}: a model of transformers taken whole"
    if stage.template is not None:
        raise InputError(f"{where} is asked in its own form: leave template away, or set model.prompt")
    if stage.max_tokens is not None or stage.max_images is not None:
        raise InputError(f"{where} has its samples padded, not packed: say with micro how many go at once")
    if ranks.sharded:
        raise InputError(f"{where} is not cut over processes: train it with --parallel ddp")
