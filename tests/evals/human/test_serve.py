"""`vistune human serve` as typed: serves, keeps ratings, ends on Ctrl-C with everything saved, resumes."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from vistune.commands.human import app
from vistune.errors import InputError
from vistune.files import write_jsonl
from vistune.sample import Sample


@pytest.fixture
def files(samples: list[Sample], tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "data.jsonl", (sample.to_json() for sample in samples))
    for model in ("alpha", "beta"):
        write_jsonl(tmp_path / f"{model}.jsonl", ({"id": sample.id, "answer": f"{model}'s"} for sample in samples))
    return tmp_path


def serve(files: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "vistune", "human", "serve", "--data", f"samples:{files / 'data.jsonl'}", "--port", "0"]
    command += ["--predictions", str(files / "alpha.jsonl"), "--predictions", str(files / "beta.jsonl")]
    command += ["--out", str(files / "study"), *more]
    # A test run in the background ignores interrupts, and what it starts would inherit that.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1, preexec_fn=heed)


def test_serve_stop_and_resume(files: Path) -> None:
    for done in (0, 1):
        process = serve(files)
        assert process.stdout is not None
        said = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert "3 samples, 9 tasks a rater" in said and url is not None
        with httpx.Client(base_url=url[0], trust_env=False) as client:
            progress = client.get("/api/progress", params={"rater": "ann"}).json()
            assert sum(progress["done"]) == done
            rate = client.get("/api/task", params={"rater": "ann", "n": 0}).json()["ask"] == "rate"
            values = dict.fromkeys(progress["criteria"], 5) if rate else {"preference": "tie"}
            assert client.post("/api/rate", json={"rater": "ann", "n": 0, "values": values}).status_code == 200
        process.send_signal(signal.SIGINT)
        assert "every rating is in" in process.communicate(timeout=20)[0] and process.returncode == 0
    shown = CliRunner().invoke(app, ["report", str(files / "study")])
    assert "1 ratings by 1 rater(s): ann 1" in shown.output


def test_two_files_of_one_name_are_refused(files: Path) -> None:
    same = str(files / "alpha.jsonl")
    arguments = ["serve", "--data", f"samples:{files / 'data.jsonl'}", "--predictions", same, "--predictions", same]
    done = CliRunner().invoke(app, [*arguments, "--out", str(files / "study")])
    assert isinstance(done.exception, InputError) and "two predictions files are called 'alpha'" in str(done.exception)
    assert not (files / "study").exists()
