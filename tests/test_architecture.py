"""Imports flow down: no module imports, directly or through others, one that imports it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

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
