"""The loop that all pretraining commands share: optimizers, cosine schedule, JSONL log, resumable state."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vistune.files import atomic_path
from vistune.progress import track
from vistune.training.stopping import stopping

STATE = "state.pt"
LOG = "log.jsonl"
LOG_EVERY = 50
SAVE_EVERY = 250


def cosine(step: int, steps: int, warmup: int) -> float:
    """Learning-rate factor: linear warm-up over `warmup` steps, then half a cosine down to a hundredth."""
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def adamw(parameters: Iterable[Tensor], lr: float, weight_decay: float = 0.05) -> torch.optim.Optimizer:
    """AdamW as they use it; what is no matrix does not decay."""
    parameters = list(parameters)
    decay = [parameter for parameter in parameters if parameter.ndim >= 2]
    rest = [parameter for parameter in parameters if parameter.ndim < 2]
    groups = [{"params": decay, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.98))


def pretrain(
    model: nn.Module,
    losses_at: Callable[[int], dict[str, Tensor]],
    validate: Callable[[], dict[str, float]],
    out: Path,
    steps: int,
    optimizers: Sequence[torch.optim.Optimizer],
    until: int | None = None,
    warmup: int = 200,
) -> dict[str, float]:
    """Minimise the sum of `losses_at(step)` over the parameters of `optimizers`; returns the last validation.

    The schedule of their learning rates spans `steps`; with `until` the run ends earlier, to be continued later, perhaps on
    another schedule.

    `losses_at` draws its data from the step number alone, so that a run killed at any time and started again with the same
    `out` continues to the same weights. Ctrl-C and SIGTERM end it between two steps, with a state saved (`Interrupted`).
    Raises `RuntimeError` when the loss is not finite.
    """
    peaks = [group["lr"] for optimizer in optimizers for group in optimizer.param_groups]
    state_file, log_file = out / STATE, out / LOG
    out.mkdir(parents=True, exist_ok=True)
    first, before = 0, 0.0
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, progress in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(progress)
        first, before = int(state["step"]), float(state.get("seconds", 0.0))
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    scores: dict[str, float] = {}
    began = time.perf_counter()
    last = min(steps, until or steps)

    def save(done: int, seconds: float) -> None:
        with atomic_path(state_file) as temporary:
            progress = [optimizer.state_dict() for optimizer in optimizers]
            torch.save({"model": model.state_dict(), "optimizers": progress, "step": done, "seconds": seconds}, temporary)

    with stopping() as stop:
        for step in track(range(first, last), "pretraining", total=max(0, last - first)):
            for group, peak in zip(groups, peaks, strict=True):
                group["lr"] = peak * cosine(step, steps, warmup)
            losses = losses_at(step)
            total = torch.stack(list(losses.values())).sum()
            if not torch.isfinite(total):
                raise RuntimeError(f"the loss is {total.item()} at step {step}")
            model.zero_grad(set_to_none=True)
            total.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer in optimizers:
                optimizer.step()
            done = step + 1
            if done % LOG_EVERY == 0 or done == last:
                seconds = before + time.perf_counter() - began
                record: dict[str, Any] = {"step": done, "seconds": round(seconds, 1)}
                record |= {name: round(loss.item(), 4) for name, loss in losses.items()}
                if done % SAVE_EVERY == 0 or done == last:
                    scores = validate()
                    record |= {f"val_{name}": round(value, 4) for name, value in scores.items()}
                    save(done, seconds)
                with log_file.open("a", encoding="utf-8") as log:
                    log.write(json.dumps(record) + "\n")
            if stop.asked and done < last:
                save(done, before + time.perf_counter() - began)
                raise stop.stopped(f"pretraining: step {done} of {last}", stop.asked)
    return scores or validate()
