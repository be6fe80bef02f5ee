"""Whether a stage keeps its frozen encoders' features, at which level, where, and what that will take of the disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import nn

from vistune.data.samples import Samples
from vistune.errors import InputError
from vistune.model.assembly import part_specs
from vistune.model.feature_cache import FeatureCache, Level
from vistune.model.modalities.base import probe
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Stage
from vistune.sample import MediaKind
from vistune.spec import Spec
from vistune.training.kinds import of_parts

_PROBED = 200  # samples from which the size of all is predicted
_RESERVE = 0.05  # of the disk is left free
_PLURAL = {"image": "pictures", "video": "films", "audio": "sounds", "points": "point clouds"}
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

    Each modality keeps what its frozen parts give. `auto` keeps features where samples are seen more than once and they
    fit into half of the free disk. What cannot be kept is not, and the reason is printed. Raises `InputError`
    where the disk lacks the room for what was asked for.
    """
    parts = of_parts(model)
    if parts is None:
        yield
        return
    for chain in parts.chains.values():
        # Decided for each modality on its own: sounds may be kept while the encoder of pictures is trained.
        chain.cache = _cache(parts, chain.reads, samples, stage, steps, folder, precision, sharded, report)
    try:
        yield
    finally:
        for chain in parts.chains.values():
            chain.cache = None


def _cache(
    model: VisionLanguageModel,
    kind: MediaKind,
    samples: Samples,
    stage: Stage,
    steps: int,
    folder: Path,
    precision: Literal["fp32", "bf16"],
    sharded: bool,
    report: bool,
) -> FeatureCache | None:
    """The cache of one modality; None, and the reason printed, where there is none."""

    def say(text: str) -> None:
        if report:
            print(f"stage {stage.name}: {'' if kind == 'image' else f'{kind}: '}{text}")

    level, reason = _level(model, kind, stage, steps * stage.batch > len(samples))
    # With FSDP2 a block is gathered by all ranks at once; a rank that found its features on disk would leave the others
    # waiting.
    if level is not None and sharded:
        level, reason = None, "the model is cut over processes, which must all run the encoder together"
    folder = folder if stage.cache_folder is None else Path(stage.cache_folder)
    if level is None:
        if stage.cache != "off" and reason:
            say(f"features are not kept: {reason}")
        return None
    need, free = predict(model, kind, samples, level, precision), _free(folder)
    if not need.media and kind != "image":
        return None
    size = f"at most {need.bytes / 1e6:,.1f} MB for {need.media:,} {_PLURAL[kind]} in {folder}"
    if stage.cache == "auto" and need.bytes > _SHARE * free:
        say(f"features are not kept: they take {size}, where {free / 1e6:,.1f} MB are free")
        return None
    cache = cache_of(model, kind, level, folder, precision)
    # After a resume part of what is needed lies there already and must not be counted as missing.
    room = free + sum(file.stat().st_size for file in cache.folder.rglob("*.safetensors"))
    if need.bytes > room:
        raise InputError(
            f"stage {stage.name!r}: features take {size}, but the disk has room for {room / 1e6:,.1f} MB: "
            "name another cache_folder, or set cache to off"
        )
    say(f"what the {level} gives is kept: {size}")
    return cache


def cache_of(model: VisionLanguageModel, kind: MediaKind, level: Level, folder: Path, precision: str) -> FeatureCache:
    """The cache of the features of one modality."""
    chain, names = model.chains[kind], model.routes[kind].chain
    specs, settings = part_specs(model.spec), sorted(model.routes[kind].settings.items())
    identity: list[Spec] = [specs[names[0]], precision, model.device.type]
    identity += [repr(settings)] if settings else []
    if level == "connector":
        identity += [specs[name] for name in names[1:]]
    # Weights decide the numbers as much as the spec: a connector that an earlier stage trained gets a folder of its own.
    parts = [chain.encoder, *(chain.connectors if level == "connector" else [])]
    return FeatureCache(folder, level, parts, chain.read(probe(chain.reads)).inputs, identity)


def obstacle(model: VisionLanguageModel, level: Level, kind: MediaKind = "image") -> str | None:
    """Why what `level` gives of media of a kind cannot be kept; None where it can."""
    if kind not in model.chains:
        return "the model has no encoder"
    chain, names = model.chains[kind], model.routes[kind].chain
    parts: dict[str, nn.Module] = {names[0]: chain.encoder}
    if level == "connector":
        parts |= dict(zip(names[1:], chain.connectors, strict=True))
        if any(connector.reads_text for connector in chain.connectors):
            return "the connector reads the question"
        if model.looks_back:
            return "regions or heads look at the encoder's features"
    for name, part in parts.items():
        if any(parameter.requires_grad for parameter in part.parameters()):
            return f"{name} is trained"
        # Also in frozen parts: the loop calls `model.train()` on the whole, and a kept feature would repeat one draw for
        # ever.
        if any(isinstance(module, nn.Dropout) and module.p > 0 for module in part.modules()):
            return f"{name} drops activations at random"
    return None


def predict(
    model: VisionLanguageModel, kind: MediaKind, samples: Samples, level: Level, precision: Literal["fp32", "bf16"]
) -> Need:
    """From media's headers alone, of `_PROBED` samples spread over the data."""
    chain = model.chains[kind]
    step = max(1, len(samples) // _PROBED)
    probed = [samples[index] for index in range(0, len(samples), step)]
    media = total = 0
    for sample in probed:
        for medium in sample.media:
            if medium.kind != kind:
                continue
            layout = chain.layout(medium, sample.where)
            if level == "connector":
                tokens, width = chain.connected(layout).total, model.llm.width
            else:
                tokens, width = layout.total, chain.encoder.width
            media += 1
            # Encoders give fp32 even under autocast (their last norm does); connectors end in a linear layer, which gives
            # bf16.
            total += tokens * width * (2 if level == "connector" and precision == "bf16" else 4)
    share = len(samples) / max(1, len(probed))
    return Need(round(media * share), round(total * share))


def _level(model: VisionLanguageModel, kind: MediaKind, stage: Stage, again: bool) -> tuple[Level | None, str | None]:
    """What is kept, or nothing and the reason, if there is one to tell."""
    if stage.cache == "off" or (stage.cache == "auto" and not again):
        return None, None
    if stage.cache != "auto":
        reason = obstacle(model, stage.cache, kind)
        return (None if reason else stage.cache), reason
    if obstacle(model, "connector", kind) is None:
        return "connector", None
    reason = obstacle(model, "encoder", kind)
    return (None if reason else "encoder"), reason


def _free(folder: Path) -> int:
    """Bytes the disk of a folder, which may not exist yet, has to give."""
    # `disk_usage` wants an existing path: the nearest parent lies on the same disk.
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    usage = shutil.disk_usage(there)
    return max(0, usage.free - int(_RESERVE * usage.total))
