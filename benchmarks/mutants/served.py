"""The driver's end of the process that tries mutants in forks (`server.py`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from benchmarks.mutants.server import ANSWERS
from benchmarks.mutants.trial import Outcome


class Served:
    """A pytest session that stays after it has collected the tests, and takes mutants until it is closed."""

    def __init__(self, tree: Path, settings: dict[str, str], marks: str, tests: Sequence[str]) -> None:
        reading, writing = os.pipe()
        options = ["-q", "-s", "-p", "benchmarks.mutants.server", "-p", "no:cacheprovider", "-m", marks]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=tree,
            env=settings | {"PYTHONPATH": str(tree), ANSWERS: str(writing), "TOKENIZERS_PARALLELISM": "false"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[writing],
            text=True,
        )
        os.close(writing)
        self._answers = os.fdopen(reading)
        if not self._answers.readline():
            raise SystemExit("the tests could not be collected: run pytest to see why")

    def tried(self, file: str, new: str, tests: Sequence[str], limit: float) -> Outcome | None:
        """A mutant's outcome, or `None` where its module has to be imported anew."""
        assert self._process.stdin
        request = {"file": file, "new": new, "tests": list(tests), "limit": limit}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        answer = json.loads(self._answers.readline())
        return answer and Outcome(**answer)

    def __enter__(self) -> Served:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._answers.close()
        self._process.wait()
