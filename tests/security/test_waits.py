"""Nothing waits for what will never come: killed processes, pipes in the place of pictures, and runs that are told to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from vistune.data.media.image import image_size, load_image
from vistune.data.media.video import load_video
from vistune.data.order.parallel import over_ranges
from vistune.data.order.workers import in_order
from vistune.errors import InputError, Interrupted
from vistune.model.weights.checkpoint import load
from vistune.sample import Media
from vistune.training.run import train

PROC = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds processes in /proc")


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """What would hang is an error after a while."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(150)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def large(number: int, count: int) -> Iterator[tuple[int, bytes]]:
    for item in range(number, 10**6, count):
        yield os.getpid(), bytes(1 << 22)  # far more than a pipe holds: killed in the middle of one


@pytest.mark.parametrize("moment", range(6))
def test_a_worker_killed_in_the_middle_of_an_item_ends_the_wait(moment: int) -> None:
    items = in_order(large, 3, 0, 2)
    processes = [next(items)[0] for _ in range(3)]
    threading.Timer(0.01 * moment, os.kill, (processes[moment % 3], signal.SIGKILL)).start()
    with pytest.raises(InputError, match="a process that prepares data was killed by SIGKILL, often for want of memory"):
        for _ in items:
            pass
    for process in processes:
        assert not Path(f"/proc/{process}").exists()


def test_a_consumer_that_stops_ends_its_workers() -> None:
    items = in_order(large, 2, 0, 2)
    processes = [next(items)[0] for _ in range(2)]
    began = time.monotonic()
    items.close()
    assert time.monotonic() - began < 20
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_a_check_whose_process_is_killed_ends() -> None:
    def work(begin: int, end: int) -> int:
        if begin == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return begin

    found = over_ranges(work, 10, 1, 2, "records")
    with pytest.raises(InputError, match="was killed by SIGKILL"):
        list(found)
    assert list(over_ranges(lambda begin, end: end - begin, 10, 3, 2, "records")) == [3, 3, 3, 1]


def test_a_pipe_is_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "rows.json")
    for name in ("pipe.png", "zero.png"):
        path = str(tmp_path / name)
        for look in (load_image, image_size, Media.read_bytes):
            with pytest.raises(InputError, match="it is a pipe or a device, not a file"):
                look(Media.file("image", path))
        with pytest.raises(InputError, match=r"it is a pipe or a device|needs the library"):
            load_video(Media.file("video", path), 2)
    turns = [{"from": "human", "value": "<image>\nq"}, {"from": "gpt", "value": "a"}]
    (tmp_path / "d.json").write_text(json.dumps([{"id": "0", "image": "pipe.png", "conversations": turns}]))
    done = vistune("data", "check", f"conversations:{tmp_path}/d.json?images={tmp_path}", "--workers", "1")
    assert done.returncode == 1 and "1 samples with problems" in done.stdout
    done = vistune("data", "check", f"conversations:{tmp_path}/rows.json?images={tmp_path}")
    assert done.returncode == 2 and "it is a pipe or a device" in done.stderr


def vistune(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "vistune", *map(str, arguments)], capture_output=True, text=True, timeout=120)


STAGE = {"name": "s", "train": {"connector": 1e-3, "llm": 1e-3}, "data": "world:?task=instructions&size=64", "batch": 4}


def written(spec: dict[str, Any], folder: Path, **changes: Any) -> Path:
    file = folder / "run.yaml"
    file.write_text(yaml.safe_dump({"name": "x", "model": spec, "stages": [STAGE | {"steps": 400} | changes]}))
    return file


def started(file: Path, out: Path, steps: int) -> subprocess.Popen[str]:
    """A run that has made so many steps."""
    command = [sys.executable, "-m", "vistune", "train", str(file), "--out", str(out), "--precision", "fp32"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    job = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    while job.poll() is None and lines(out) < steps:
        time.sleep(0.01)
    assert job.poll() is None, job.communicate()
    return job


def lines(out: Path) -> int:
    log = out / "logs" / "s.jsonl"
    return log.read_text().count("\n") if log.exists() else 0


@PROC
def test_a_run_whose_worker_is_killed_ends_with_a_sentence(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    job = started(written(tiny_spec, tmp_path, workers=2, cache="off"), tmp_path / "out", 3)
    workers = [file.read_text().split() for file in Path(f"/proc/{job.pid}/task").glob("*/children")]
    os.kill(int(next(filter(None, workers))[0]), signal.SIGKILL)
    _, said = job.communicate(timeout=60)
    assert job.returncode == 2, said
    assert "a process that prepares data was killed by SIGKILL" in said and "Traceback" not in said


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_run_that_is_told_to_stop_saves_a_state_and_says_so(
    number: signal.Signals, tiny_spec: dict[str, Any], tmp_path: Path
) -> None:
    file = written(tiny_spec, tmp_path)
    job = started(file, tmp_path / "out", 3)
    job.send_signal(number)
    _, said = job.communicate(timeout=60)
    done = lines(tmp_path / "out")
    assert job.returncode == 128 + number and f"step {done} of 400 was stopped by {number.name}; a state is saved" in said
    assert [path.name for path in (tmp_path / "out" / "state" / "s").iterdir()] == [f"{done:08d}"]


def test_stopped_and_gone_on_is_not_stopped(tiny_spec: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tiny_spec, tmp_path, steps=8)
    train(str(file), tmp_path / "whole", precision="fp32", report=False)

    def told(step: int) -> Callable[..., Any]:
        from vistune.training.log import Log

        add = Log.add

        def count(self: Any, at: int, *rest: Any) -> None:
            add(self, at, *rest)
            if at == step:
                os.kill(os.getpid(), signal.SIGTERM)

        return count

    for step in (3, 8):
        with monkeypatch.context() as patch:
            patch.setattr("vistune.training.log.Log.add", told(step))
            with pytest.raises(Interrupted, match=f"step {min(step + 1, 8)} of 8 was stopped by SIGTERM"):
                train(str(file), tmp_path / "cut", precision="fp32", report=False)
    train(str(file), tmp_path / "cut", precision="fp32", report=False)
    one, two = (load(tmp_path / name / "s").state_dict() for name in ("whole", "cut"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert (tmp_path / "whole/logs/s.jsonl").read_text().count("\n") == (tmp_path / "cut/logs/s.jsonl").read_text().count("\n")
