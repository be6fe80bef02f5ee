"""Teaching a method: stages, epochs, the published schedule; and testing it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vistune.promptlearn.classes import Classes
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.method import Call, Hyperparameters, Method
from vistune.promptlearn.pictures.images import Bank, Images

WARM_LR = 1e-5
TEST_BATCH = 100


@dataclass(frozen=True, slots=True)
class Taught:
    """What teaching took: epochs, seconds for one image of one epoch, the terms of the last step."""

    epochs: int
    seconds_per_image: float
    losses: dict[str, float]


def rate(recipe: Hyperparameters, epoch: int, step: int, epochs: int, steps: int) -> float:
    """The learning rate as a factor of the recipe's.

    By epoch: `warm_up` epochs at 1e-5, then a cosine over all epochs that starts after the warm-up and so never reaches
    zero (as the released trainers do). By step: a linear rise, then a cosine from the full rate to the floor, which it would
    reach one step after the last.
    """
    if recipe.schedule == "step":
        done, total = epoch * steps + step, max(1, epochs * steps)
        rise = int(recipe.warm_steps * total)
        if done < rise:
            return (done + 1) / rise
        low = recipe.floor / recipe.lr
        return low + (1 - low) * 0.5 * (1 + math.cos(math.pi * (done - rise) / (total - rise)))
    if epoch < recipe.warm_up:
        return WARM_LR / recipe.lr
    return 0.5 * (1 + math.cos(math.pi * (epoch - recipe.warm_up) / epochs))


def optimizer_of(method: Method, recipe: Hyperparameters, learnt: set[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """The recipe's optimizer over the method's groups, restricted to what learns in this stage."""
    groups: list[dict[str, Any]] = []
    for group in method.groups(recipe.lr):
        parameters = group["params"]
        assert isinstance(parameters, list)
        # A method may learn in stages; its groups name all parameters, and each stage moves its own.
        kept = [p for p in parameters if p in learnt]
        if kept:
            groups.append({**group, "params": kept})
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=0.9, weight_decay=recipe.weight_decay)
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=recipe.lr, betas=recipe.betas, eps=recipe.epsilon, weight_decay=recipe.weight_decay)


def fit(method: Method, data: Callable[[int], Shots], recipe: Hyperparameters) -> Taught:
    """Teach a method. `data(epoch)` gives the training images of an epoch (fresh crops, or the views of one bank in turn)."""
    first = data(0)
    method.prepare(first)
    began, seen, losses = time.perf_counter(), 0, {"none": torch.zeros(())}
    named = dict(method.named_parameters())
    trainable = {name for name, p in named.items() if p.requires_grad}
    for stage in method.stages:
        method.start_stage(stage, first)
        learnt = [named[name] for name in named if name in trainable and name.startswith(stage.learns)]
        epochs = max(1, round(stage.share * recipe.epochs)) if recipe.epochs and learnt else 0
        if not epochs:
            continue
        optimizer = optimizer_of(method, recipe, set(learnt))
        base = [group["lr"] for group in optimizer.param_groups]
        for epoch in range(epochs):
            shots = data(epoch)
            method.start_epoch(epoch, epochs, shots)
            method.train()
            batches = method.batches(len(shots), recipe.batch)
            for step, chosen in enumerate(batches):
                for group, lr in zip(optimizer.param_groups, base, strict=True):
                    group["lr"] = lr * rate(recipe, epoch, step, epochs, len(batches))
                losses = _step(method, _call(shots, chosen, epoch, method, recipe), learnt, optimizer, recipe)
                seen += len(chosen)
            method.end_epoch(epoch, epochs)
    method.eval()
    method.finish(first)
    spent = time.perf_counter() - began
    return Taught(recipe.epochs, spent / max(1, seen), {name: float(value.detach()) for name, value in losses.items()})


def _call(shots: Shots, chosen: Tensor, epoch: int, method: Method, recipe: Hyperparameters) -> Call:
    """The call of one step: one view of each image, or all views one after the other."""
    shown = range(shots.views) if recipe.joint_views else [epoch % shots.views]
    images = Images(bank=shots.bank, ids=torch.cat([chosen + view * len(shots) for view in shown]))
    second = None
    if method.second_view:
        second = Images(bank=shots.bank, ids=chosen + (epoch + 1) % shots.views * len(shots))
    plain = None if shots.plain is None else Images(bank=shots.plain, ids=chosen)
    return Call(shots.engine, shots.classes, images, shots.labels[chosen].repeat(len(shown)), second, plain=plain)


def _step(
    method: Method, call: Call, learnt: list[torch.nn.Parameter], optimizer: torch.optim.Optimizer, recipe: Hyperparameters
) -> dict[str, Tensor]:
    """One optimizer step. Raises `RuntimeError` when a term is not finite."""
    optimizer.zero_grad()
    losses = method.training_losses(call)
    for name, value in losses.items():
        if not torch.isfinite(value):
            raise RuntimeError(f"{type(method).__name__}: the term {name!r} is {value.item()}: lower the learning rate")
    method.backward(losses, learnt)
    if recipe.clip is not None:
        torch.nn.utils.clip_grad_norm_(learnt, recipe.clip)
    optimizer.step()
    return losses


def accuracy(method: Method, engine: Engine, bank: Bank, labels: Tensor, classes: Classes, views: Bank | None = None) -> float:
    """Top-1 in per cent. Class features are computed once where no image changes them; `views` are for test-time tuning."""
    method.eval()
    right = 0
    text = None
    with torch.no_grad():
        for at in range(0, len(labels), TEST_BATCH):
            ids = torch.arange(at, min(at + TEST_BATCH, len(labels)))
            tuned = None if views is None else Images(bank=views, ids=_rows(ids, len(labels), method.test_views))
            call = Call(engine, classes, Images(bank=bank, ids=ids), views=tuned)
            if text is None:
                edits = method.edits(call)
                text = None if edits.text_follows_images else engine.text(classes, edits)
            right += int((method.predict(call, text).argmax(1) == labels[ids]).sum())
    return 100 * right / len(labels)


def _rows(ids: Tensor, count: int, views: int) -> Tensor:
    """Rows of a bank of views, image by image."""
    return (ids[:, None] + torch.arange(views) * count).flatten()
