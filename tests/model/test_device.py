"""Where models go that answer, and in which number format."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from vistune.cli import app
from vistune.errors import InputError
from vistune.model.answering.answerer import CheckpointModel
from vistune.model.device import chosen_device, chosen_dtype, placed
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import save


@pytest.fixture
def checkpoint(tiny_spec: dict, tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save(VisionLanguageModel(ModelSpec.from_json(tiny_spec)), tmp_path / "model", {"connector"})
    return tmp_path / "model"


def test_a_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert chosen_device("auto") == torch.device("cuda") and chosen_dtype("auto", torch.device("cuda")) == torch.bfloat16
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto") == torch.device("cpu") and chosen_dtype("auto", torch.device("cpu")) == torch.float32


@pytest.mark.parametrize(("device", "dtype"), [("gpu", "auto"), ("cuda:7", "auto"), ("cpu", "half")])
def test_devices_and_formats_that_are_not_there_are_refused(device: str, dtype: str) -> None:
    with pytest.raises(InputError, match=r"--device|--dtype"):
        placed(nn.Linear(1, 1), device, dtype)


@pytest.mark.parametrize("command", ["predict", "chat"])
def test_every_command_that_answers_says_where(checkpoint: Path, command: str, tmp_path: Path) -> None:
    rest = {
        "predict": ["--data", "world:?task=count&size=2", "--out", str(tmp_path / "a.jsonl"), "--max-new-tokens", "2"],
        "chat": ["How many?", "--max-new-tokens", "2"],
    }[command]
    done = CliRunner().invoke(app, [command, str(checkpoint), *rest, "--device", "cuda:9"])
    assert isinstance(done.exception, InputError) and "cuda:9" in str(done.exception)
    done = CliRunner().invoke(app, [command, str(checkpoint), *rest, "--device", "cpu", "--dtype", "bfloat16"])
    assert done.exit_code == 0, done.exception


def test_answers_in_another_format_are_another_models(checkpoint: Path) -> None:
    whole, half = CheckpointModel(checkpoint), CheckpointModel(checkpoint, "cpu", "bfloat16")
    assert half.identity == f"{whole.identity}+bfloat16"
    assert {tensor.dtype for tensor in half.model.parameters()} == {torch.bfloat16}


def test_predict_takes_the_first_samples_and_counts_its_own(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    arguments = ["predict", str(checkpoint), "--out", str(out), "--max-new-tokens", "2", "--limit"]
    first = CliRunner().invoke(app, [*arguments, "3", "--data", "world:?task=count&size=9"])
    assert first.output.strip() == f"3 predictions in {out}"
    second = CliRunner().invoke(app, [*arguments, "1", "--data", "world:?task=colour&size=9"])
    assert second.output.strip() == f"1 predictions in {out}, beside 3 of other samples"


def test_variants_and_a_name_reach_the_evaluation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told: dict[str, Any] = {}

    def evaluate(*given: Any) -> dict[str, Any]:
        told["variants"], told["name"] = given[6:8]
        return {}

    monkeypatch.setattr("vistune.evals.run.evaluate", evaluate)
    monkeypatch.setattr("vistune.commands._answerers.open_answerer", lambda *_: SimpleNamespace())
    command = ["eval", "m", "--bench", "pope,gqa", "--out", str(tmp_path), "--name", "mine", "--set", "pope.rule=exact"]
    done = CliRunner().invoke(app, [*command, "--set", "split=val"])
    assert done.exit_code == 0, done.exception
    assert told == {"variants": {"pope": {"rule": "exact", "split": "val"}, "gqa": {"split": "val"}}, "name": "mine"}
    assert "'vqa' is not among --bench" in str(CliRunner().invoke(app, [*command, "--set", "vqa.rule=exact"]).exception)


def test_the_version_and_short_help_are_there() -> None:
    from vistune import __version__

    assert CliRunner().invoke(app, ["--version"]).output.strip() == f"vistune {__version__}"
    assert "--data" in CliRunner().invoke(app, ["predict", "-h"]).output
