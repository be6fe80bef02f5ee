"""The walk of the contributing page: its files are written and its commands run, as they stand there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
WALK = PAGE[PAGE.index("## A walk") : PAGE.index("## What each contract asks")]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def files() -> dict[str, str]:
    """The blocks that begin with the name of a file."""
    named = [(text.partition("\n")[0].removeprefix("# "), text) for language, text in BLOCK.findall(WALK) if language]
    return dict(named)


def test_the_page_has_the_files_of_the_walk_and_they_are_python_and_yaml() -> None:
    import yaml

    made = files()
    assert list(made) == ["mine/squeeze.py", "mine/test_squeeze.py", "mine/run.yaml"]
    compile(made["mine/squeeze.py"], "squeeze.py", "exec")
    assert yaml.safe_load(made["mine/run.yaml"])["name"] == "squeezed"


def test_every_path_and_target_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`((?:vistune|tests|docs)/[\w/.]*)`", PAGE)) - {"vistune/model/connectors/squeeze.py"}
    own = [name for name in named if not Path(name).name.startswith("my_") and not (ROOT / name).exists()]
    assert len(named) > 15 and not own
    targets = re.findall(r"^make ([\w-]+)", PAGE, re.MULTILINE)
    assert targets and all(f"{target}:" in (ROOT / "Makefile").read_text() for target in targets)


@pytest.mark.slow
def test_the_walk(tmp_path: Path) -> None:
    for name, text in files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (commands,) = [text for language, text in BLOCK.findall(WALK) if not language]
    path = os.pathsep.join([str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    for line in commands.splitlines():
        program, *arguments = shlex.split(line)
        command = [sys.executable, *arguments] if program == "python" else [sys.executable, "-m", program, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    answers = [json.loads(line) for line in (tmp_path / "runs" / "answers.jsonl").read_text().splitlines()]
    assert len([answer for answer in answers if "answer" in answer]) == 2
