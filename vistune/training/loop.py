"""The training loop of one stage.

    for each step:  the next `batch` samples, in seeded order
                    packed `micro` at a time -> forward -> summed loss / supervised tokens of the whole step -> backward
                    clip, step, log, now and then save

Dividing by the count of the whole step makes gradient accumulation exact: 4 x 8 samples give the gradient of 1 x 32.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from vistune.data.prefetch import Prefetch
from vistune.data.samples import Samples
from vistune.model.checkpoint import units
from vistune.model.vlm import VisionLanguageModel
from vistune.progress import track
from vistune.recipe import Stage
from vistune.training.log import Log
from vistune.training.precision import Precision, autocast, resolve
from vistune.training.selection import fingerprint, select
from vistune.training.state import load_state, save_state
from vistune.training.work import work_of_steps


@dataclass(frozen=True, slots=True)
class Paths:
    """Where a stage keeps its log and its states."""

    log: Path
    state: Path


def stage_steps(stage: Stage, size: int) -> int:
    """How many optimizer steps a stage takes over `size` samples."""
    return stage.steps or max(1, math.ceil(stage.epochs * size / stage.batch))


def schedule(step: int, steps: int, warmup: float) -> float:
    """Factor on the learning rate: linear warm-up over a share of the steps, then half a cosine to zero."""
    first = max(1, round(warmup * steps))
    if step < first:
        return (step + 1) / first
    return 0.5 * (1 + math.cos(math.pi * (step - first) / max(1, steps - first)))


def train_stage(
    model: VisionLanguageModel,
    samples: Samples,
    stage: Stage,
    paths: Paths,
    seed: int,
    precision: Precision = "auto",
    save_every: int = 200,
) -> None:
    """Train one stage in place, resuming from its last state.

    Raises `RuntimeError` when a frozen parameter changed, when a pattern's parameters all stayed as they were, and when the
    loss is not finite.
    """
    selection = select(model, stage.train, f"stage {stage.name!r}")
    before = fingerprint(model)
    parts = units(model, selection.names)
    steps = stage_steps(stage, len(samples))
    groups = [{"params": group, "lr": rate, "rate": rate} for rate, group in selection.groups.items()]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999), weight_decay=stage.weight_decay)
    first = load_state(paths.state, model, parts, optimizer)
    log = Log(paths.log, first)
    parameters = [parameter for group in selection.groups.values() for parameter in group]
    context = resolve(precision, model.device)
    model.train()
    work = Prefetch(work_of_steps(model, samples, stage, seed, first, steps))
    for step, todo in enumerate(track(work, f"stage {stage.name}", steps - first), first):
        began = time.perf_counter()
        factor = schedule(step, steps, stage.warmup)
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * factor
        optimizer.zero_grad(set_to_none=True)
        loss = 0.0
        for batch in todo.batches:
            with autocast(context, model.device):
                losses = model(batch)
            share = torch.stack(list(losses.values())).sum() / todo.supervised
            share.backward()
            loss += share.item()
        if not math.isfinite(loss):
            raise RuntimeError(f"stage {stage.name!r}: the loss is {loss} at step {step + 1}")
        norm = torch.nn.utils.clip_grad_norm_(parameters, stage.clip)
        optimizer.step()
        log.add(step + 1, steps, loss, float(norm), factor, todo, time.perf_counter() - began, work.waited)
        if (step + 1) % save_every == 0 and step + 1 < steps:
            save_state(paths.state, step + 1, model, parts, optimizer)
    log.close()
    if first < steps:
        check_changes(model, before, selection.names, stage)


def check_changes(model: VisionLanguageModel, before: dict[str, int], trained: frozenset[str], stage: Stage) -> None:
    """Frozen parameters are bit-equal to what they were; of each trained part at least one is not."""
    after = fingerprint(model)
    changed = {name for name, value in after.items() if before[name] != value}
    touched = sorted(changed - trained)
    if touched:
        raise RuntimeError(f"stage {stage.name!r}: {touched[0]} is frozen but changed")
    for part in sorted({name.split(".")[0] for name in trained}):
        if not any(name.startswith(part + ".") for name in changed):
            raise RuntimeError(f"stage {stage.name!r}: {part} should have been trained but did not change")
