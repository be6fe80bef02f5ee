"""Which settings of a stage a kind of model does not know."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from torch import nn

from vistune.errors import InputError
from vistune.model.trainable import AnyTrainable
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Stage
from vistune.training.distributed import Ranks
from vistune.training.preference.settings import settings_of


def of_parts(model: nn.Module) -> VisionLanguageModel | None:
    """The model, where it is one of parts: their operations are counted and their features kept, which nobody else asks."""
    return model if isinstance(model, VisionLanguageModel) else None


def check_stage(model: AnyTrainable, stage: Stage, ranks: Ranks) -> None:
    """Raises `InputError` for settings that only a model made of parts has, given to one that is taken whole, and for media
    that are to go the way of others which their encoder does not read."""
    if settings_of(stage) is not None and (ranks.sharded or of_parts(model) is None):
        raise InputError(
            f"stage {stage.name!r}: pairs are learnt from by models made of parts, whole on each process (--parallel ddp)"
        )
    if model.packs:
        # Entering checks everything that `encode_as` can have wrong; nothing is encoded here.
        with encoding(model, stage):
            return
    where = f"stage {stage.name!r}: a model of transformers taken whole"
    if stage.template is not None:
        raise InputError(f"{where} is asked in its own form: leave template away, or set model.prompt")
    if stage.max_tokens is not None or stage.max_images is not None:
        raise InputError(f"{where} has its samples padded, not packed: say with micro how many go at once")
    if stage.encode_as:
        raise InputError(f"{where} has no modalities: leave encode_as away")
    if ranks.sharded:
        raise InputError(f"{where} is not cut over processes: train it with --parallel ddp")


def encoding(model: nn.Module, stage: Stage) -> AbstractContextManager[None]:
    """Media go the ways that `stage.encode_as` says while the block runs."""
    parted = of_parts(model)
    return nullcontext() if parted is None else parted.encoding_as(stage.encode_as, f"stage {stage.name!r}")
