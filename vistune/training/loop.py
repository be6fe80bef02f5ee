"""The training loop of one stage.

    for each step:  the next `batch` samples, in seeded order
                    packed `micro` at a time -> forward -> summed loss / supervised tokens of the whole step -> backward
                    clip, step, log, now and then save

Dividing by the count of the whole step makes gradient accumulation exact: 4 x 8 samples give the gradient of 1 x 32.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vistune.data.order import sample_at
from vistune.data.packing import Batch, pack
from vistune.data.prefetch import Prefetch
from vistune.data.samples import Samples
from vistune.model.checkpoint import units
from vistune.model.vlm import VisionLanguageModel
from vistune.progress import track
from vistune.prompt.template import Template
from vistune.recipe import Stage
from vistune.spec import build
from vistune.training.precision import Precision, autocast, resolve
from vistune.training.selection import fingerprint, select
from vistune.training.state import load_state, save_state


@dataclass(frozen=True, slots=True)
class Work:
    """All of one step: its packed micro-batches and how many tokens they supervise together."""

    batches: tuple[Batch, ...]
    supervised: int
    tokens: int
    samples: int


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


def work_of_steps(
    model: VisionLanguageModel, samples: Samples, stage: Stage, seed: int, first: int, steps: int
) -> Iterator[Work]:
    """Prepare each step's work, in order, from step `first` on."""
    template: Template | None = None
    if stage.template is not None:
        template = build("vistune.prompt.templates", stage.template, tokenizer=model.llm.tokenizer)
    renderer = model.renderer(template)
    micro = stage.micro or stage.batch
    for step in range(first, steps):
        places = range(step * stage.batch, (step + 1) * stage.batch)
        examples = [model.example(samples[sample_at(place, len(samples), seed)], renderer) for place in places]
        batches = tuple(pack(examples[start : start + micro]) for start in range(0, len(examples), micro))
        yield Work(
            batches,
            supervised=sum(batch.supervised for batch in batches),
            tokens=sum(len(batch.ids) for batch in batches),
            samples=len(examples),
        )


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
    log = _Log(paths.log, first)
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


class _Log:
    """One JSON line a step; lines of steps that are done again after a resume are dropped first."""

    def __init__(self, path: Path, first: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        self._file = path.open("w", encoding="utf-8")
        self._file.writelines(lines[:first])

    def add(
        self, step: int, steps: int, loss: float, norm: float, factor: float, work: Work, seconds: float, waited: float
    ) -> None:
        record: dict[str, Any] = {
            "step": step,
            "steps": steps,
            "loss": loss,
            "grad_norm": norm,
            "lr_factor": factor,
            "samples": work.samples,
            "tokens": work.tokens,
            "supervised": work.supervised,
            "seconds": round(seconds, 4),
            "tokens_per_second": round(work.tokens / seconds, 1),
            "supervised_per_second": round(work.supervised / seconds, 1),
            "samples_per_second": round(work.samples / seconds, 2),
            "loader_wait_seconds": round(waited, 3),
        }
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()
