"""Processes that are killed outright: the job ends, and what is resumed ends where an untouched run does."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import torch
import yaml

from vistune.model.weights.checkpoint import load
from vistune.recipe import Recipe
from vistune.training.run import train

STEPS, KILLS = 16, int(os.environ.get("VISTUNE_KILLS", "100"))
PROC = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds a job's processes in /proc")
STAGE = {"name": "s", "train": {"connector": 1e-3, "llm": 1e-3}, "data": "world:?task=instructions&size=64", "batch": 4}


def record(spec: dict, steps: int) -> dict:
    return {"name": "test", "model": spec, "stages": [STAGE | {"steps": steps}]}


def lines(run: Path) -> list[dict]:
    log = run / "logs" / "s.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")] if log.exists() else []


def losses(run: Path) -> list[float]:
    return [line["loss"] for line in lines(run)]


def children(process: int) -> list[int]:
    """Those that any of its threads started: each thread has a list of its own."""
    held = Path(f"/proc/{process}/task").glob("*/children")
    return [int(number) for file in held for number in file.read_text().split()]


def rank(process: int) -> str | None:
    variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    return next((entry.decode().partition("=")[2] for entry in variables if entry.startswith(b"RANK=")), None)


@PROC
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


def _killed(process: multiprocessing.process.BaseProcess, out: Path, chance: random.Random) -> str:
    """Kill a run at a random instant: at once, after some step, or in the middle of writing a state or the checkpoint."""
    moment = chance.choice(("instant", "step", "state", "state", "checkpoint"))
    step = chance.randrange(1, STEPS - 2)
    while process.is_alive():
        if moment == "instant" and (out / "run.yaml").exists():
            break
        if moment == "step" and len(lines(out)) >= step:
            break
        if moment == "state" and len(lines(out)) >= step and list((out / "state").glob("*/.*.tmp")):
            break
        if moment == "checkpoint" and list(out.glob(".s.tmp")):
            break
        time.sleep(0.0005)
    time.sleep(chance.random() * (0.3 if moment == "instant" else 0.01))
    process.kill()
    process.join()
    return moment


def _strays(out: Path) -> list[str]:
    return [str(path) for path in out.rglob("*") if path.name.endswith(".tmp") or ".tmp" in path.name]


@PROC
@pytest.mark.slow
def test_a_hundred_kills_at_random_instants_change_no_bit_and_leave_nothing(tiny_spec: dict, tmp_path: Path) -> None:
    """`VISTUNE_KILLS` is their number. Twice in a row for every fifth: what goes on is killed as well."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vistune.training.run"])
    made = record(tiny_spec, STEPS)

    def start(out: Path) -> multiprocessing.process.BaseProcess:
        process = context.Process(target=_train, args=(made, out))
        process.start()
        return process

    start(tmp_path / "whole").join()
    whole = load(tmp_path / "whole" / "s").state_dict()
    files = {path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*")}
    chance, moments, in_time = random.Random(0), Counter[str](), 0
    for number in range(KILLS):
        out = tmp_path / str(number)
        for _ in range(1 + (number % 5 == 0)):
            process = start(out)
            moments[_killed(process, out, chance)] += 1
            in_time += process.exitcode == -signal.SIGKILL
        start(out).join()
        assert losses(out) == losses(tmp_path / "whole"), f"run {number}"
        resumed = load(out / "s").state_dict()
        assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items()), f"run {number}"
        assert {path.relative_to(out) for path in out.rglob("*")} == files and not _strays(out), f"run {number}"
        shutil.rmtree(out)
        print(f"{number + 1} resumed to the bit, {in_time} kills in time {dict(moments)}", flush=True)
    assert in_time >= KILLS * 0.8


@PROC
@pytest.mark.slow
def test_killed_workers_end_a_run_in_seconds_and_it_goes_on(tiny_spec: dict, tmp_path: Path) -> None:
    made = {"name": "test", "model": tiny_spec, "stages": [STAGE | {"steps": 60, "workers": 2, "cache": "off"}]}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(made))
    command = [sys.executable, "-m", "vistune", "train", str(tmp_path / "run.yaml"), "--out", str(tmp_path / "cut")]
    command += ["--precision", "fp32", "--save-every", "1"]
    took = []
    for number in range(5):
        job = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, text=True)
        while job.poll() is None and (len(lines(tmp_path / "cut")) < 3 + 4 * number or not children(job.pid)):
            time.sleep(0.01)
        assert job.poll() is None, job.communicate()
        os.kill(children(job.pid)[number % 2], signal.SIGKILL)
        began = time.monotonic()
        _, said = job.communicate(timeout=60)
        took.append(time.monotonic() - began)
        assert job.returncode == 2 and "was killed by SIGKILL" in said and "Traceback" not in said, said
    print("seconds from the kill to the end:", [round(one, 1) for one in took])
    for out in ("cut", "whole"):
        train(str(tmp_path / "run.yaml"), tmp_path / out, precision="fp32", save_every=50, report=False)
    assert losses(tmp_path / "cut") == losses(tmp_path / "whole")
