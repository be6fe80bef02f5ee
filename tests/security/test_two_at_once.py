"""Two writers of one output: the second is refused, and the lock dies with its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vistune.errors import InputError
from vistune.files import alone
from vistune.journal import Journal, read_journal

HOLD = "import time\nfrom vistune.{module} import {name}\nwith {name}({path}):\n    print(1, flush=True)\n    {then}\n"


def holding(module: str, name: str, path: str, then: str = "time.sleep(60)") -> subprocess.Popen[str]:
    code = HOLD.format(module=module, name=name, path=path, then=then)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "1\n"
    return process


def test_a_journal_has_one_writer(tmp_path: Path) -> None:
    with Journal(tmp_path / "a.jsonl") as journal:
        journal.append({"n": 1})
    other = holding("journal", "Journal", repr(str(tmp_path / "a.jsonl")))
    with pytest.raises(InputError, match=r"a\.jsonl is being written by another process"):
        Journal(tmp_path / "a.jsonl")
    assert len(list(read_journal(tmp_path / "a.jsonl"))) == 1  # reading is free
    other.send_signal(signal.SIGKILL)
    other.wait()
    with Journal(tmp_path / "a.jsonl") as journal:
        journal.append({"n": 2})
    assert [record["n"] for _, record in read_journal(tmp_path / "a.jsonl")] == [1, 2]


def test_a_folder_has_one_writer_and_its_forks_do_not_hold_it(tmp_path: Path) -> None:
    path = f"__import__('pathlib').Path({str(tmp_path)!r})"
    child = "import os\n    if not os.fork(): print(os.getpid(), flush=True)\n    time.sleep(60)"
    other = holding("files", "alone", path, child)
    assert other.stdout is not None
    orphan = int(other.stdout.readline())
    with pytest.raises(InputError, match="is being written by another process"), alone(tmp_path):
        pass
    other.kill()
    other.wait()
    with alone(tmp_path), pytest.raises(InputError, match="is being written by another process"), alone(tmp_path):
        pass
    os.kill(orphan, signal.SIGKILL)
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_into_the_same_folder_is_refused(tmp_path: Path) -> None:
    from vistune.training.run import train

    recipe = tmp_path / "run.yaml"
    recipe.write_text(
        "{name: x, model: {llm: 'builtin:language', vision: {kind: huggingface, path: 'builtin:clip'}, connector: mlp},"
        " stages: [{name: s, train: {connector: 1.0e-3}, data: 'world:?task=captions&size=8', batch: 2}]}"
    )
    (tmp_path / "out").mkdir()
    with alone(tmp_path / "out"), pytest.raises(InputError, match="is being written by another process"):
        train(str(recipe), tmp_path / "out", report=False)
