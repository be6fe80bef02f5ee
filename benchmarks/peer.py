"""A peer in an environment of its own, so that what it needs never meets what we need."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build" / "peers"


def environment(name: str, requirements: Sequence[str]) -> Path:
    """The interpreter of the environment `name`, made and filled on the first call; torch is the CPU's, as our own."""
    folder = FOLDER / name
    python, done = folder / "bin" / "python", folder / ".installed"
    if done.is_file() and done.read_text() == "\n".join(requirements):
        return python
    venv.create(folder, with_pip=True, clear=True)
    for wanted in (["torch==2.13.0"], list(requirements)):
        command = [str(python), "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), *wanted]
        subprocess.run(command, check=True)
    done.write_text("\n".join(requirements))
    return python


class Worker:
    """A script of the peer's that answers each line with a line of JSON. Leaving the `with` block ends it."""

    def __init__(self, python: Path, script: str, settings: dict[str, Any]) -> None:
        command = [str(python), str(Path(__file__).parent / script), json.dumps(settings)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Worker:
        return self

    def ask(self) -> dict[str, Any]:
        """Let it take its next turn and wait for what it says of it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            sys.exit(f"the peer ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
