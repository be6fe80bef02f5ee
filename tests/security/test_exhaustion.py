"""A full disk and memory that runs out end in one sentence; what was whole stays, and the same command goes on from it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import load, save

# A limit on the size of a file fails like a disk without room: the write that passes it is cut, and raises.
FULL = """
import resource, sys
from vistune.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
main()
"""
# What is loaded stays; what is asked for after it is refused.
STARVED = """
import resource, sys, torch
import vistune.training.run, vistune.model.answering.answers
from vistune.cli import main
from vistune.data.samples import read
read("world:?task=identity&size=1")[0]
size = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + int(sys.argv.pop(1)), resource.RLIM_INFINITY))
main()
"""
DATA = "world:?task=instructions&size=40"
ASKED = "world:?task=identity&size=40"
RECIPE = {"name": "s", "train": {"connector": 1e-3, "llm": 1e-3}, "data": DATA, "batch": 4, "steps": 4}


def run(program: str, limit: int, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, str(limit), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=os.environ | {"OMP_NUM_THREADS": "1"})


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one that a command ends in, behind what it had to tell before."""
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("vistune: "), done.stderr
    return last


def stray(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if ".tmp" in path.name] if folder.exists() else []


@pytest.fixture(scope="module")
def checkpoint(tiny_spec: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "model"
    save(VisionLanguageModel(ModelSpec.from_json(tiny_spec)), folder, {"connector", "llm", "vision"})
    return folder


@pytest.mark.slow
def test_training_on_a_full_disk_goes_on_when_there_is_room(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump({"name": "x", "model": tiny_spec, "stages": [RECIPE]}))
    how = ("--precision", "fp32", "--save-every", "2")
    said = sentence(run(FULL, 60_000, "train", file, "--out", tmp_path / "full", *how))
    assert "the disk is full" in said or "File too large" in said
    assert stray(tmp_path / "full") == [] and not (tmp_path / "full" / "s" / "vistune.yaml").exists()
    for out in ("full", "whole"):
        done = run(FULL, 1 << 34, "train", file, "--out", tmp_path / out, *how)
        assert done.returncode == 0, done.stderr
    went_on, whole = (load(tmp_path / out / "s").state_dict() for out in ("full", "whole"))
    assert all((went_on[name] == tensor).all() for name, tensor in whole.items())


@pytest.mark.slow
@pytest.mark.parametrize("command", ["predict", "convert", "build", "export"])
def test_other_commands_on_a_full_disk(command: str, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments: dict[str, tuple[str | Path, ...]] = {
        "predict": ("predict", checkpoint, "--data", ASKED, "--out", out / "p.jsonl", "--max-new-tokens", "40"),
        "convert": ("data", "convert", DATA, "samples", out / "d.jsonl"),
        "build": ("build", "run", "llava_instruct", "--data", "world", "--limit", "2", "--out", out),
        "export": ("export", checkpoint, "--out", out),
    }
    limit = 100
    said = sentence(run(FULL, limit, *arguments[command]))
    assert "the disk is full" in said or "File too large" in said
    assert stray(out) == []
    done = run(FULL, 1 << 34, *arguments[command])
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", ["train", "predict"])
def test_memory_that_runs_out_is_a_sentence(command: str, checkpoint: Path, tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    stage = RECIPE | {"batch": 40, "micro": 40, "steps": 1}
    file.write_text(yaml.safe_dump({"name": "x", "model": tiny_spec, "stages": [stage]}))
    arguments: dict[str, tuple[str | Path, ...]] = {
        "train": ("train", file, "--out", tmp_path / "out", "--precision", "fp32"),
        "predict": ("predict", checkpoint, "--data", ASKED, "--out", tmp_path / "p.jsonl", "--batch-size", "40"),
    }
    assert "memory ran out" in sentence(run(STARVED, 20 << 20, *arguments[command]))
    assert stray(tmp_path) == []
