"""What tests of hostile input share: a module whose import leaves a mark, and the command line run in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli_calls import called

HOSTILE = ("os:system", "subprocess:Popen", "builtins:eval", "pwned_module:Thing")


@pytest.fixture
def unmarked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], bool]]:
    """Whether `pwned_module`, which is on the path, has not been imported."""
    folder = tmp_path / "path"
    folder.mkdir()
    (folder / "pwned_module.py").write_text("import pathlib\npathlib.Path(__file__).with_name('mark').touch()\nThing = 1\n")
    monkeypatch.syspath_prepend(str(folder))
    yield lambda: not (folder / "mark").exists() and "pwned_module" not in sys.modules
    sys.modules.pop("pwned_module", None)


@pytest.fixture
def refused() -> Callable[..., str]:
    """The one sentence in which a command ends with exit code 2."""

    def run(*arguments: str | Path) -> str:
        done = called(*arguments)
        said = done.stderr
        assert done.returncode == 2 and said.startswith("vistune: ") and said.count("\n") == 1, said
        return said

    return run
