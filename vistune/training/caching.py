"""Whether a stage keeps its frozen encoder's features, at which level, where, and what that will take of the disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import nn

from vistune.data.media.image import image_size
from vistune.data.samples import Samples
from vistune.errors import InputError
from vistune.model.feature_cache import FeatureCache, Level
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Stage

_PROBED = 200  # samples from which the size of all is predicted
_RESERVE = 0.05  # of the disk is left free
_SHARE = 0.5  # of what is free is the most that `auto` takes


@dataclass(frozen=True, slots=True)
class Need:
    """What keeping takes: `bytes` in at most `media` files (a medium shown twice is counted twice)."""

    media: int
    bytes: int


@contextmanager
def caching(
    model: nn.Module,
    samples: Samples,
    stage: Stage,
    steps: int,
    folder: Path,
    precision: Literal["fp32", "bf16"],
    sharded: bool = False,
    report: bool = True,
) -> Iterator[None]:
    """Let `model` keep features while the block runs, as `stage.cache` says; `select` has been called for the stage.

    `auto` keeps them where samples are seen more than once and they fit into half of what is free. What cannot be kept is not,
    and the reason is printed. Raises `InputError` where the disk lacks the room for what was asked for.
    """
    level, reason = _level(model, stage, steps * stage.batch > len(samples))
    if level is not None and sharded:
        level, reason = None, "the model is cut over processes, which must all run the encoder together"
    folder = folder if stage.cache_folder is None else Path(stage.cache_folder)
    if level is None or not isinstance(model, VisionLanguageModel):
        if report and stage.cache != "off" and reason:
            print(f"stage {stage.name}: features are not kept: {reason}")
        yield
        return
    assert model.vision is not None and model.connector is not None and model.spec.vision is not None
    identity = [model.spec.vision, precision, model.device.type]
    if level == "connector":
        identity.append(model.spec.connector or "")
    need, free = predict(model, samples, level, precision), _free(folder)
    size = f"at most {need.bytes / 1e6:,.1f} MB for {need.media:,} pictures in {folder}"
    if stage.cache == "auto" and need.bytes > _SHARE * free:
        if report:
            print(f"stage {stage.name}: features are not kept: they take {size}, where {free / 1e6:,.1f} MB are free")
        yield
        return
    cache = FeatureCache(folder, level, model.vision, model.connector, identity)
    room = free + sum(file.stat().st_size for file in cache.folder.rglob("*.safetensors"))
    if need.bytes > room:
        raise InputError(
            f"stage {stage.name!r}: features take {size}, but the disk has room for {room / 1e6:,.1f} MB: "
            "name another cache_folder, or set cache to off"
        )
    if report:
        print(f"stage {stage.name}: what the {level} gives is kept: {size}")
    model.cache = cache
    try:
        yield
    finally:
        model.cache = None


def obstacle(model: nn.Module, level: Level) -> str | None:
    """Why what `level` gives cannot be kept; None where it can."""
    if not isinstance(model, VisionLanguageModel):
        return "the model is not made of parts"
    if model.vision is None or model.connector is None:
        return "the model has no encoder"
    parts: dict[str, nn.Module] = {"vision": model.vision}
    if level == "connector":
        parts["connector"] = model.connector
        if model.connector.reads_text:
            return "the connector reads the question"
    for name, part in parts.items():
        if any(parameter.requires_grad for parameter in part.parameters()):
            return f"{name} is trained"
        if any(isinstance(module, nn.Dropout) and module.p > 0 for module in part.modules()):
            return f"{name} drops activations at random"
    return None


def predict(model: VisionLanguageModel, samples: Samples, level: Level, precision: Literal["fp32", "bf16"]) -> Need:
    """From pictures' headers alone, of `_PROBED` samples spread over the data."""
    assert model.vision is not None and model.connector is not None
    step = max(1, len(samples) // _PROBED)
    probed = [samples[index] for index in range(0, len(samples), step)]
    media = total = 0
    for sample in probed:
        for medium in sample.media:
            if medium.kind != "image":
                continue
            size = image_size(medium, sample.where)
            tiling, count = model.vision.tiling(size), model.vision.num_tokens(size)
            if level == "connector":
                tokens, width = model.connector.count(count, model.vision.grid(size), tiling), model.llm.width
            else:
                tokens, width = count * (1 if tiling is None else tiling.inputs), model.vision.width
            media += 1
            total += tokens * width * (2 if level == "connector" and precision == "bf16" else 4)
    share = len(samples) / max(1, len(probed))
    return Need(round(media * share), round(total * share))


def _level(model: nn.Module, stage: Stage, again: bool) -> tuple[Level | None, str | None]:
    """What is kept, or nothing and the reason, if there is one to tell."""
    if stage.cache == "off" or (stage.cache == "auto" and not again):
        return None, None
    if stage.cache != "auto":
        reason = obstacle(model, stage.cache)
        return (None if reason else stage.cache), reason
    if obstacle(model, "connector") is None:
        return "connector", None
    reason = obstacle(model, "encoder")
    return (None if reason else "encoder"), reason


def _free(folder: Path) -> int:
    """Bytes the disk of a folder, which may not exist yet, has to give."""
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    usage = shutil.disk_usage(there)
    return max(0, usage.free - int(_RESERVE * usage.total))
