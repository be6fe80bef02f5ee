"""`vistune train NAME --nano` as a user types it, for every recipe there is: two steps of every stage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vistune.model.weights.checkpoint import CONFIG, WEIGHTS
from vistune.recipe import load_recipe, names


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in names() if name != "native"])  # it tunes a model as it is, and none ships
def test_the_command_trains_every_stage(name: str, tmp_path: Path) -> None:
    stages = load_recipe(name).stages
    command = [sys.executable, "-m", "vistune", "train", name, "--nano", "--out", str(tmp_path / "run")]
    for number in range(len(stages)):
        for change in ("steps=2", "batch=2"):
            command += ["--set", f"stages.{number}.{change}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    last = tmp_path / "run" / stages[-1].name
    assert f"next: vistune chat {last}" in done.stdout
    for stage in stages:
        assert f"stage {stage.name}" in done.stdout
        assert {CONFIG, WEIGHTS} <= {file.name for file in (tmp_path / "run" / stage.name).iterdir()}
