"""Muon and AdamW together are each on its own, and only inner matrices are Muon's."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from vistune.errors import InputError
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Stage
from vistune.training.distributed import ALONE
from vistune.training.steps.optimizers import Together, inner_matrices, optimizer_of


def stage(**more: Any) -> Stage:
    return Stage(name="s", train={"llm": 1e-2}, data="world:?task=captions", optimizer="muon", weight_decay=0.1, **more)


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Linear(8, 4))


def descend(made: nn.Module, optimizers: list[torch.optim.Optimizer], first: int, steps: int) -> None:
    for step in range(first, first + steps):
        made.zero_grad()
        made(torch.randn(5, 6, generator=torch.Generator().manual_seed(step))).square().sum().backward()
        for optimizer in optimizers:
            optimizer.step()


def test_two_together_move_weights_as_two_apart_and_resume_to_the_same_bits() -> None:
    apart, together = model(), model()
    matrices = [parameter for parameter in apart.parameters() if parameter.ndim == 2]
    vectors = [parameter for parameter in apart.parameters() if parameter.ndim == 1]
    muon = torch.optim.Muon(matrices, lr=1e-2, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    descend(apart, [muon, torch.optim.AdamW(vectors, lr=1e-2, betas=(0.9, 0.999), weight_decay=0.1)], 0, 6)
    optimizer = optimizer_of(together, {1e-2: list(together.parameters())}, stage(), ALONE)
    descend(together, [optimizer], 0, 3)
    state = copy.deepcopy(optimizer.state_dict())
    again = optimizer_of(together, {1e-2: list(together.parameters())}, stage(), ALONE)
    again.load_state_dict(state)
    assert all(group["rate"] == 1e-2 for group in again.param_groups)
    descend(together, [again], 3, 3)
    assert all(torch.equal(left, right) for left, right in zip(apart.parameters(), together.parameters(), strict=True))


def test_rates_set_on_the_groups_are_those_of_the_optimizers() -> None:
    made = model()
    optimizer = optimizer_of(made, {1e-2: list(made.parameters())}, stage(), ALONE)
    assert isinstance(optimizer, Together)
    optimizer.load_state_dict(optimizer.state_dict())
    before = [parameter.detach().clone() for parameter in made.parameters()]
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    descend(made, [optimizer], 0, 1)
    assert all(torch.equal(left, right) for left, right in zip(before, made.parameters(), strict=True))


def test_embeddings_heads_and_vectors_are_not_muons(tiny_spec: dict[str, Any]) -> None:
    whole = VisionLanguageModel(ModelSpec.from_json(tiny_spec))
    inner = inner_matrices(whole)
    names = {name for name, parameter in whole.named_parameters() if id(parameter) in inner}
    assert any("q_proj" in name for name in names) and any(name.startswith("connector") for name in names)
    assert not any(part in name for name in names for part in ("embed_tokens", "lm_head", "norm", "bias"))


def test_matrices_cut_among_processes_are_refused() -> None:
    made = model()
    with pytest.raises(InputError, match="muon needs whole matrices"):
        optimizer_of(made, {1e-2: list(made.parameters())}, stage(), replace(ALONE, sharded=True))
