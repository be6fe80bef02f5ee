"""A signal ends pretraining between two steps with a state, and what goes on ends where an untouched run does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import torch

from vistune.errors import Interrupted
from vistune.pretrain.loop import pretrain


def run(out: Path, stop_at: int | None = None) -> torch.Tensor:
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 4)

    def losses_at(step: int) -> dict[str, torch.Tensor]:
        if step == stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        given = torch.randn(3, 4, generator=torch.Generator().manual_seed(step))
        return {"square": model(given).square().mean()}

    pretrain(model, losses_at, lambda: {"none": 0.0}, out, 12, [torch.optim.AdamW(model.parameters(), lr=0.01)], warmup=2)
    return model.weight.detach()


def test_a_stopped_pretraining_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    with pytest.raises(Interrupted, match="step 6 of 12 was stopped by SIGTERM; a state is saved"):
        run(tmp_path / "cut", stop_at=5)
    assert torch.equal(run(tmp_path / "cut"), whole)
