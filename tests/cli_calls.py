"""Commands called in the process of the tests: starting an interpreter that imports torch takes seconds."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from vistune.cli import main


def called(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`vistune ARGUMENTS` through its entry point: exit code, output and errors, as `subprocess.run` gives them.

    Tests about processes (signals, limits, what lies on the path) start one of their own.
    """
    words, out, errors, code = ["vistune", *map(str, arguments)], io.StringIO(), io.StringIO(), 0
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
        contextlib.chdir(cwd or Path.cwd()),
        patch.object(sys, "argv", words),
    ):
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return subprocess.CompletedProcess(words, code, out.getvalue(), errors.getvalue())
