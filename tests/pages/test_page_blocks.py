"""Every shell and Python block of the README and the docs runs, in its page's order, in a folder that has what it asks for.

Pages of a few seconds are in the default suite. A block that needs a download, many GPUs or hours says so on its page
(`<!-- not run: ... -->`).
"""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from page_blocks import PAGES, ROOT, RUN, SHELL, Block, blocks, name_of
from page_folders import FOLDERS, Folder
from page_shell import Shell, few_steps
from typer.testing import CliRunner

from vistune.cli import app

NOT_RUN = 20
"""Blocks that may be left out, at most."""


def run_pages() -> list[object]:
    found = []
    for page in PAGES:
        if any(not block.not_run for block in blocks(page, *RUN)):
            slow = FOLDERS.get(name_of(page), Folder()).slow
            found.append(pytest.param(page, id=name_of(page), marks=[pytest.mark.slow] if slow else []))
    return found


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of LLaVA-1.5 on the shipped backbones, of one step a stage."""
    run = tmp_path_factory.mktemp("trained") / "run"
    CliRunner().invoke(app, ["train", "llava_1_5", "--nano", "--out", str(run), *few_steps(2)], catch_exceptions=False)
    return run


@pytest.fixture
def forgotten(tmp_path: Path) -> Iterator[None]:
    """Modules that a page wrote beside itself and imported are gone for the next test, which may have others of their names."""
    yield
    for name, module in list(sys.modules.items()):
        held = vars(module)  # asked for by name, modules that load others late would load them
        folders = held.get("__path__")  # a folder is a package without a file; torch has modules of another kind
        found = [held.get("__file__"), *(folders if isinstance(folders, Iterable) else ())]
        if any(str(place).startswith(str(tmp_path.resolve())) for place in found):
            del sys.modules[name]


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("page", run_pages())
def test_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    folder = FOLDERS.get(name_of(page), Folder())
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")  # as of a Python that somebody types into: `--trust` must say where its code may lie
    for run in folder.runs:
        shutil.copytree(request.getfixturevalue("trained"), run)
    folder.prepare()
    shell = Shell(folder.standins, folder.before)
    names: dict[str, object] = {"__name__": "page"}
    with contextlib.closing(shell):
        for block in blocks(page):
            if block.file is not None:
                Path(block.file).parent.mkdir(parents=True, exist_ok=True)
                Path(block.file).write_text(block.text)
            elif block.language in RUN and not block.not_run:
                execute(block, page, shell, names)
    for made, lines in folder.made.items():
        assert Path(made).read_text().count("\n") == lines, made


def execute(block: Block, page: Path, shell: Shell, names: dict[str, object]) -> None:
    """Shell by shell; Python in one namespace for the whole page."""
    if block.language == SHELL:
        shell.run(block)
        return
    code = "\n" * block.line + shell.stand_in(block.text)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code, name_of(page), "exec"), names)  # noqa: S102 - our own page


def test_what_is_not_run_says_why_and_stays_the_exception() -> None:
    every = [(page, block) for page in PAGES for block in blocks(page, *RUN)]
    left = [f"{name_of(page)}:{block.line}: {block.not_run}" for page, block in every if block.not_run]
    assert len(left) <= NOT_RUN and len(every) > 3 * len(left), left
    assert all(len(line.split()) > 4 for line in left)


def test_a_program_that_is_not_run_is_there() -> None:
    """Of `python -m benchmarks.NAME --option` file and options, of `make TARGET` the target."""
    targets = (ROOT / "Makefile").read_text()
    for page in PAGES:
        for line in (line for block in blocks(page, SHELL) for line in block.lines()):
            words = line.split("#")[0].split()
            if words[0] == "make":
                assert f"\n{words[1]}:" in targets, line
            if words[0] == "python" and "benchmarks" in line:
                place = ROOT / (words[2].replace(".", "/") if words[1] == "-m" else words[1])
                files = place.glob("*.py") if place.is_dir() else [place.with_suffix(".py")]
                source = "".join(file.read_text() for file in files)
                assert all(f'"{word}"' in source for word in words if word.startswith("--")), line


def test_folders_are_prepared_for_pages_that_are_there() -> None:
    assert set(FOLDERS) <= {name_of(page) for page in PAGES}
