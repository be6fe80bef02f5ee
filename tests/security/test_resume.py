"""What a resumed run believes: neither another precision nor other backbones."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from vistune.errors import InputError, Interrupted
from vistune.recipe import Recipe
from vistune.training import run
from vistune.training.log import Log


def test_other_weights_and_another_precision_are_refused(
    tiny_spec: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_spec["llm"], tmp_path / "llm")
    stage = {"name": "s", "train": {"connector": 1e-3}, "data": "world:?task=captions&size=8", "batch": 2, "steps": 3}
    recipe = Recipe.from_json({"name": "x", "model": tiny_spec | {"llm": str(tmp_path / "llm")}, "stages": [stage]})
    with monkeypatch.context() as patch:
        patch.setattr(Log, "close", lambda log: (_ for _ in ()).throw(Interrupted("stopped")))
        with pytest.raises(Interrupted):
            run.train(recipe, tmp_path / "out", precision="fp32", save_every=1, report=False)
    with pytest.raises(InputError, match=r"the precision \(--precision fp32\) of the run is not what it was"):
        run.train(recipe, tmp_path / "out", precision="bf16", report=False)
    file = tmp_path / "llm" / "model.safetensors"
    weights = load_file(file)
    changed = {name: tensor + 1e-3 * torch.ones_like(tensor) for name, tensor in weights.items()}
    save_file(changed, file, metadata={"format": "pt"})
    with pytest.raises(InputError, match="the weights, of which backbones are part, of the run is not what it was"):
        run.train(recipe, tmp_path / "out", precision="fp32", report=False)
    save_file(weights, file, metadata={"format": "pt"})
    assert (run.train(recipe, tmp_path / "out", precision="fp32", report=False) / "vistune.yaml").exists()
