"""The optimizer of a stage: AdamW, or Muon for matrices with AdamW for the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW, Muon, Optimizer

from vistune.errors import InputError
from vistune.model.part import logit_weights
from vistune.recipe import Stage
from vistune.training.distributed import Ranks
from vistune.training.steps.shared_muon import SharedMuon

BETAS = (0.9, 0.999)
Groups = list[dict[str, Any]]


class Together(Optimizer):
    """Several optimizers as one: their groups one after the other, their states numbered through."""

    def __init__(self, optimizers: Sequence[Optimizer]) -> None:
        self.optimizers = list(optimizers)
        super().__init__(self._joined(), {})
        self.param_groups = self._joined()  # rates are set on these very groups

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step of each."""
        assert closure is None, "the loss has been computed"
        for optimizer in self.optimizers:
            optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """As one optimizer with all groups would give it."""
        state: dict[int, Any] = {}
        groups: Groups = []
        first = 0
        for optimizer in self.optimizers:
            own = optimizer.state_dict()
            # Numbered through, in the form of a single optimizer: `state.py` matches entries to parameters by this number.
            state |= {first + number: entry for number, entry in own["state"].items()}
            groups += [group | {"params": [first + number for number in group["params"]]} for group in own["param_groups"]]
            first += sum(len(group["params"]) for group in own["param_groups"])
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """The inverse of `state_dict`."""
        first, groups = 0, list(state_dict["param_groups"])
        for optimizer in self.optimizers:
            own, groups = groups[: len(optimizer.param_groups)], groups[len(optimizer.param_groups) :]
            count = sum(len(group["params"]) for group in own)
            optimizer.load_state_dict(
                {
                    "state": {n - first: entry for n, entry in state_dict["state"].items() if first <= n < first + count},
                    "param_groups": [group | {"params": [n - first for n in group["params"]]} for group in own],
                }
            )
            first += count
        self.param_groups = self._joined()

    def _joined(self) -> Groups:
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]


def optimizer_of(model: nn.Module, groups: Mapping[float, list[nn.Parameter]], stage: Stage, ranks: Ranks) -> Optimizer:
    """What trains `groups`, the parameters by learning rate; each group's `rate` is the peak of its schedule.

    With `muon` the weights of linear layers, but not the one that gives logits, are moved by orthogonal updates (Jordan 2024,
    https://kellerjordan.github.io/posts/muon/), scaled so that AdamW's rates serve (Liu et al. 2025, arXiv 2502.16982,
    section 2.2). Raises `InputError` where they are cut among processes.
    """
    decay = stage.weight_decay
    if stage.optimizer == "adamw":
        return AdamW(_groups(groups, lambda _: True), betas=BETAS, weight_decay=decay)
    if ranks.sharded:
        raise InputError(f"stage {stage.name!r}: muon needs whole matrices: use --parallel ddp, or the optimizer adamw")
    inner = inner_matrices(model)
    made: list[Optimizer] = []
    if matrices := _groups(groups, lambda parameter: id(parameter) in inner):
        settings: dict[str, Any] = {"weight_decay": decay, "adjust_lr_fn": "match_rms_adamw"}
        made.append(Muon(matrices, **settings) if ranks.size == 1 else SharedMuon(matrices, ranks, **settings))
    if rest := _groups(groups, lambda parameter: id(parameter) not in inner):
        made.append(AdamW(rest, betas=BETAS, weight_decay=decay))
    return Together(made)


def _groups(groups: Mapping[float, list[nn.Parameter]], wanted: Callable[[nn.Parameter], bool]) -> Groups:
    chosen = ((rate, [parameter for parameter in group if wanted(parameter)]) for rate, group in groups.items())
    return [{"params": group, "lr": rate, "rate": rate} for rate, group in chosen if group]


def inner_matrices(model: nn.Module) -> set[int]:
    """The `id` of each linear layer's weight, but of those that give logits."""
    heads = {id(weight) for weight in logit_weights(model)}
    return {id(module.weight) for module in model.modules() if isinstance(module, nn.Linear)} - heads
