"""One mutant, tried: the tests that see its line, in a process of its own, until one of them fails.

Libraries are imported once, here; each trial is a fork that has them already and imports the changed package anew.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_LIST = """
import importlib, pkgutil, sys, vistune, pytest, _pytest.assertion.rewrite
for module in pkgutil.walk_packages(vistune.__path__, "vistune."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(*(name for name in sys.modules if not name.startswith(("vistune", "__m")) and "." not in name[:1]), sep="\\n")
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`killed`, `survived`, `timeout` (a loop without end: noticed, too) or `broken`: the tests did not run.

    `code` is what the process ended with, and nothing where it was ended.
    """

    result: str
    seconds: float
    said: str
    code: int | None = None


def warm_up(root: Path) -> None:
    """Import every library that the package imports, but nothing of the package itself."""
    listed = subprocess.run(
        [sys.executable, "-c", _LIST], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, capture_output=True
    )
    for name in listed.stdout.decode().split():
        if name not in sys.modules:
            try:
                importlib.import_module(name)
            except ImportError:  # some parts of libraries exist only once their parent has made them
                continue
    assert not [name for name in sys.modules if name.partition(".")[0] == "vistune"]


def tried(tree: Path, tests: Sequence[str], limit: float, log: Path) -> Outcome:
    """Run the tests in the tree as it now is, with everything of the package imported anew."""
    return forked(lambda: _run(tree, tests), limit, log)


def forked(run: Callable[[], int], limit: float, log: Path) -> Outcome:
    """Run something in a fork, its output in `log`, and kill what has not ended within `limit` seconds."""
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        _live(run, log)
    status = _waited(child, start + limit)
    seconds = round(time.perf_counter() - start, 2)
    said = log.read_text(errors="replace") if log.exists() else ""
    failed = next((line for line in said.splitlines() if line.startswith(("FAILED", "ERROR"))), "")
    if status is None:
        return Outcome("timeout", seconds, f"no end within {limit:.0f} s")
    if status == 0:
        return Outcome("survived", seconds, "", 0)
    noticed = status in (1, 2, 3, 4) and (failed or "Error" in said)
    return Outcome("killed" if noticed else "broken", seconds, failed or said[-300:], status)


def _live(run: Callable[[], int], log: Path) -> None:
    """The child's whole life."""
    code = 70
    try:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        code = run()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _run(tree: Path, tests: Sequence[str]) -> int:
    """A whole session of pytest."""
    os.chdir(tree)
    os.environ["PYTHONPATH"] = str(tree)
    sys.path[:] = [str(tree), *(path for path in sys.path if path not in ("", str(Path.cwd())))]
    import pytest

    fast = ["-x", "-q", "-rfE", "--tb=line", "-m", "", "-p", "no:cacheprovider", "-p", "no:randomly"]
    return int(pytest.main([*fast, *tests]))


def _waited(child: int, until: float) -> int | None:
    while time.perf_counter() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            _end(child)  # processes that its tests left behind
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    _end(child)
    os.waitpid(child, 0)
    return None


def _end(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
