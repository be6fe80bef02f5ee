"""`--trust`: own code beside the user works, code that came with a checkpoint does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import save
from vistune.trust import beside_user, trusting

OWN = """\
import pathlib
from vistune.model.connectors.mlp import Mlp
from vistune.data.readers.world import World

pathlib.Path(__file__).with_name("mark").touch()


class Wide(Mlp):
    pass


class Few(World):
    pass
"""


def vistune(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vistune", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=os.environ | environment, timeout=120)


@pytest.fixture
def checkpoint(tmp_path: Path, tiny_spec: dict[str, Any]) -> Path:
    """A checkpoint whose connector is `mine.Wide`, in a folder of its own; `mine.py` lies beside the user."""
    user = tmp_path / "user"
    user.mkdir()
    (user / "mine.py").write_text(OWN)
    folder = tmp_path / "given" / "model"
    torch.manual_seed(0)
    here = Path.cwd()
    os.chdir(user)
    try:
        with trusting(["mine"]), beside_user(["mine"]):
            model = VisionLanguageModel(ModelSpec.from_json(tiny_spec | {"connector": {"kind": "mine:Wide", "depth": 2}}))
    finally:
        os.chdir(here)
        del sys.modules["mine"]
    save(model, folder, {"llm", "vision", "connector"})
    (user / "mark").unlink()
    return folder


def test_own_code_beside_the_user_needs_the_word_and_no_path(checkpoint: Path, tmp_path: Path) -> None:
    user = tmp_path / "user"
    done = vistune("chat", checkpoint, "hello", cwd=user)
    assert done.returncode == 2 and "say --trust mine" in done.stderr and not (user / "mark").exists()
    done = vistune("chat", checkpoint, "hello", "--trust", "mine", cwd=user)
    assert done.returncode == 0, done.stderr
    assert (user / "mark").exists()


def test_own_data_beside_the_user(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    (tmp_path / "mix.yaml").write_text("sources: [{data: {kind: 'mine:Few', task: captions, size: 2}}]\n")
    assert vistune("data", "check", "mixture:mix.yaml", cwd=tmp_path).returncode == 2
    assert not (tmp_path / "mark").exists()
    done = vistune("data", "check", "mixture:mix.yaml", "--trust", "mine", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.startswith("2 samples"), done.stderr


@pytest.mark.parametrize("inside", [True, False], ids=["in the checkpoint", "beside the checkpoint"])
def test_code_that_came_with_a_checkpoint_is_not_taken(checkpoint: Path, inside: bool) -> None:
    folder = checkpoint if inside else checkpoint.parent
    (folder / "mine.py").write_text(OWN)
    done = vistune("chat", "." if inside else checkpoint.name, "hello", "--trust", "mine", cwd=folder)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert ("lies in the checkpoint" if inside else "lies in the current folder, which holds the checkpoint") in done.stderr
    assert not (folder / "mark").exists()


@pytest.mark.parametrize("inside", [True, False], ids=["in the checkpoint", "beside the checkpoint"])
def test_python_does_not_take_code_that_came_with_a_checkpoint(checkpoint: Path, inside: bool) -> None:
    folder = checkpoint if inside else checkpoint.parent
    (folder / "mine.py").write_text(OWN)
    code = f"import vistune\nvistune.load({'.' if inside else checkpoint.name!r}, trust=['mine'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder)
    assert done.returncode and "InputError: mine lies in the" in done.stderr
    assert not (folder / "mark").exists()


def test_a_file_in_the_current_folder_is_no_library(tmp_path: Path) -> None:
    for name in ("numpy", "torch", "typer", "yaml", "safetensors", "bitsandbytes", "mine"):
        (tmp_path / f"{name}.py").write_text("import pathlib\npathlib.Path(__file__).with_name('mark').touch()\n")
    done = vistune("data", "check", "world:?task=captions&size=2", "--trust", "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "mark").exists()
