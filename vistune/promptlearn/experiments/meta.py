"""A meta-learnt first border for DAM-VP (Huang et al. 2023, section 3.3): Reptile over several data sets."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.method import Call, full_batches
from vistune.promptlearn.methods.damvp import SIDES, Damvp
from vistune.promptlearn.pictures.images import Images


def meta_start(
    backbone: DualEncoder,
    tasks: Sequence[Shots],
    *,
    border: int = 30,
    threshold: float = 16.0,
    epochs: int = 200,
    batch: int = 128,
    steps: int = 4,
    lr: float = 1.0,
    outer: float = 0.5,
) -> dict[str, Tensor]:
    """The four sides `[1, 3, h, w]` of a border from which every task is quickly learnt.

    A round takes a batch of every task. The border is copied for each cluster of the task and taught by `steps` steps of Adam
    at a rate that falls from `lr` by a cosine; it then moves by `outer` times the mean change over all clusters of all tasks.
    """
    methods = [Damvp(backbone, task.classes, border=border, threshold=threshold).to(backbone.device) for task in tasks]
    for method, task in zip(methods, tasks, strict=True):
        method.prepare(task)
    clusters = sum(len(method.prototypes) for method in methods)
    learnt = {side: methods[0].get_parameter(side).detach()[:1].clone() for side in SIDES}
    rounds = max(1, min(len(task) // min(batch, len(task)) for task in tasks))
    for epoch in range(epochs):
        orders = [full_batches(len(task), batch) for task in tasks]
        for number in range(rounds):
            rate = lr * 0.5 * (1 + math.cos(math.pi * (epoch * rounds + number + 1) / (epochs * rounds)))
            changes = {side: torch.zeros_like(values) for side, values in learnt.items()}
            for method, task, order in zip(methods, tasks, orders, strict=True):
                for side, change in changed(method, task, order[number], learnt, steps, rate).items():
                    changes[side] += change
            for side, values in learnt.items():
                values += outer * changes[side] / clusters
    return {side: values.cpu() for side, values in learnt.items()}


def changed(method: Damvp, task: Shots, chosen: Tensor, start: dict[str, Tensor], steps: int, rate: float) -> dict[str, Tensor]:
    """How far `steps` steps on one batch move the copies of a border, summed over clusters."""
    with torch.no_grad():
        for side, values in start.items():
            method.get_parameter(side).copy_(values.expand_as(method.get_parameter(side)))
    optimizer = torch.optim.Adam(method.parameters(), lr=rate)
    call = Call(task.engine, task.classes, Images(bank=task.bank, ids=chosen), task.labels[chosen])
    for _ in range(steps):
        loss = torch.stack(list(method.losses(method(call), call).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {side: (method.get_parameter(side).detach() - values).sum(0, keepdim=True) for side, values in start.items()}
