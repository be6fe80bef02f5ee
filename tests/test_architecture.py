"""Imports flow down, between modules and between rooms; rooms stay small; no test file is passed over."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from collected import COLLECTED

ROOT = Path(__file__).parents[1] / "vistune"


def modules(root: Path) -> dict[str, Path]:
    files = {".".join(file.relative_to(root.parent).with_suffix("").parts): file for file in root.rglob("*.py")}
    return {name.removesuffix(".__init__"): file for name, file in files.items()}


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """`(module, name)` of what is imported when the module is, or for its types; functions may import late."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from imported(node)


def graph(root: Path) -> dict[str, set[str]]:
    known = modules(root)
    edges: dict[str, set[str]] = {}
    for name, file in known.items():
        named = [(f"{module}.{what}", module) for module, what in imported(ast.parse(file.read_text(encoding="utf-8")))]
        edges[name] = {full if full in known else module for full, module in named} & known.keys()
    return edges


def test_no_module_imports_one_that_imports_it() -> None:
    edges = graph(ROOT)
    assert edges["vistune.data.samples"] >= {"vistune.sample", "vistune.errors"}
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_a_circle_is_found_also_one_that_is_for_types_only(tmp_path: Path) -> None:
    package = tmp_path / "vistune"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from vistune.b import B\n")
    (package / "b.py").write_text("from vistune import c\n")
    (package / "c.py").write_text("def late():\n    from vistune import b\n\nimport vistune.a\n")
    with pytest.raises(CycleError):
        TopologicalSorter(graph(package)).prepare()
    (package / "c.py").write_text("def late():\n    from vistune import b\n")
    TopologicalSorter(graph(package)).prepare()


# From the ground up: a room imports rooms before it alone, also inside functions.
_FLOORS = """
errors trust files hub journal progress spec sample completer draw world data prompt model recipe nano recipes methods
construction evals training chat promptlearn pretrain demo sharing serving programs commands cli __main__
"""
_CATALOGUES = """
readers writers catalogue benchmarks metrics methods recipes pipelines tasks operators parsers connectors encoders fusion
heads regions modalities templates codecs formats commands datasets judges
"""
FLOORS, CATALOGUES = _FLOORS.split(), _CATALOGUES.split()
"""Folders that list parts of a kind, one a file, and may have any number of them."""


def rooms(root: Path) -> Iterator[tuple[str, str, str]]:
    """`(module, its room, a room it imports)`, late imports counted."""
    for name, file in modules(root).items():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            named = []
            if isinstance(node, ast.ImportFrom) and node.module:
                named = [node.module] if node.module != "vistune" else [f"vistune.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                named = [alias.name for alias in node.names]
            for imported_name in named:
                parts, own = imported_name.split("."), name.split(".")
                if parts[0] == "vistune" and len(parts) > 1 and len(own) > 1 and parts[1] in FLOORS and parts[1] != own[1]:
                    yield name, own[1], parts[1]


def test_every_room_stands_on_a_floor() -> None:
    known = {file.stem if file.suffix else file.name for file in ROOT.iterdir() if not file.name.startswith("__pycache")}
    assert known - {"__init__", "py"} <= set(FLOORS)


def test_no_arrow_goes_up() -> None:
    wrong = [f"{module} imports {to}" for module, room, to in rooms(ROOT) if FLOORS.index(to) > FLOORS.index(room)]
    assert not wrong


def test_folders_have_at_most_fifteen_files_but_those_that_list_parts() -> None:
    crowded = {}
    for folder in [ROOT, *(path for path in ROOT.rglob("*") if path.is_dir() and "__pycache__" not in path.parts)]:
        count = sum(1 for file in folder.glob("*.py") if file.name != "__init__.py")
        if count > 15 and folder.name not in CATALOGUES:
            crowded[str(folder.relative_to(ROOT.parent))] = count
    assert not crowded


def test_no_file_is_longer_than_five_hundred_lines() -> None:
    counts = {name: file.read_text(encoding="utf-8").count("\n") for name, file in modules(ROOT).items()}
    assert not [name for name, count in counts.items() if count > 500]
    assert sorted(counts.values())[len(counts) // 2] <= 150


def test_every_test_file_is_collected(request: pytest.FixtureRequest) -> None:
    """pytest passes over folders of some names (`build`, `dist`, ...) without a word."""
    tests = ROOT.parent / "tests"
    written = {path.relative_to(ROOT.parent).as_posix() for path in tests.rglob("test_*.py")}
    if request.config.args == request.config.getini("testpaths"):  # the whole suite runs: it knows what it has found
        collected = {path.relative_to(ROOT.parent).as_posix() for path in request.config.stash[COLLECTED]}
        assert written == collected
        return
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "", "-p", "no:cacheprovider", str(tests)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT.parent)
    collected = {line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line}
    assert written == collected, done.stdout[-2000:]
