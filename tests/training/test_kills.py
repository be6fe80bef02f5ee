"""Processes that are killed outright: the job ends, and what is resumed ends where an untouched run does."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from vistune.model.weights.checkpoint import load
from vistune.recipe import Recipe
from vistune.training.run import train

STEPS, KILLS = 16, 20
STAGE = {"name": "s", "train": {"connector": 1e-3, "llm": 1e-3}, "data": "world:?task=instructions&size=64", "batch": 4}


def record(spec: dict, steps: int) -> dict:
    return {"name": "test", "model": spec, "stages": [STAGE | {"steps": steps}]}


def lines(run: Path) -> list[dict]:
    log = run / "logs" / "s.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")] if log.exists() else []


def losses(run: Path) -> list[float]:
    return [line["loss"] for line in lines(run)]


def children(process: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def rank(process: int) -> str | None:
    variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    return next((entry.decode().partition("=")[2] for entry in variables if entry.startswith(b"RANK=")), None)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds a job's processes in /proc")
@pytest.mark.slow
def test_a_killed_process_ends_the_job_and_one_process_goes_on(tiny_spec: dict, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(record(tiny_spec, 24)))
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone", "-m", "vistune"]
    command += ["train", str(tmp_path / "run.yaml"), "--out", str(tmp_path / "cut"), "--save-every", "2", "--precision", "fp32"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    job = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    while job.poll() is None and len(lines(tmp_path / "cut")) < 3:
        time.sleep(0.01)
    second = next(process for process in children(job.pid) if rank(process) == "1")
    os.kill(second, signal.SIGKILL)
    said, _ = job.communicate(timeout=120)
    assert job.returncode != 0
    assert said.count("learning rate") == 1  # the first process alone prints the table
    assert not (tmp_path / "cut" / "s").exists()
    for out in ("cut", "whole"):
        train(str(tmp_path / "run.yaml"), tmp_path / out, precision="fp32", save_every=2, report=False)
    assert len(losses(tmp_path / "cut")) == 24
    assert losses(tmp_path / "cut")[:10] == pytest.approx(losses(tmp_path / "whole")[:10], abs=1e-5)
    assert losses(tmp_path / "cut") == pytest.approx(losses(tmp_path / "whole"), rel=1e-3)


def _train(made: dict, out: Path) -> None:
    torch.set_num_threads(1)
    train(Recipe.from_json(made), out, precision="fp32", save_every=3, report=False)


@pytest.mark.slow
def test_twenty_kills_at_random_steps_change_no_bit(tiny_spec: dict, tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vistune.training.run"])
    made = record(tiny_spec, STEPS)

    def start(out: Path) -> multiprocessing.process.BaseProcess:
        process = context.Process(target=_train, args=(made, out))
        process.start()
        return process

    start(tmp_path / "whole").join()
    whole = load(tmp_path / "whole" / "s").state_dict()
    chance = random.Random(0)
    for number in range(KILLS):
        out, step = tmp_path / str(number), chance.randrange(1, STEPS - 2)
        process = start(out)
        while process.is_alive() and len(lines(out)) < step:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.02)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, f"run {number} was over before it was killed after step {step}"
        start(out).join()
        assert losses(out) == losses(tmp_path / "whole")
        resumed = load(out / "s").state_dict()
        assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items()), f"killed after step {step}"
