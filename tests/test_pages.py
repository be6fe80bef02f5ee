"""Blocks of the README and all docs: Python compiles and names what there is, commands have their options, YAML reads.

Many pages are run whole by tests of their own (data, build, scoring, human evaluation, contributing); here no page is left out.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
import yaml

from vistune.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```([\w-]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, *languages: str) -> list[str]:
    return [text for language, text in BLOCK.findall(page.read_text(encoding="utf-8")) if language in languages]


def commands(page: Path) -> Iterator[list[str]]:
    """Every `vistune ...` of the page's shell blocks, lines that go on behind a backslash joined, comments cut off."""
    for block in blocks(page, "", "bash", "sh", "shell", "console"):
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            said = line.strip().removeprefix("$ ")
            start = re.search(r"(?:^|-m )vistune ", said)
            if start and "…" not in said and "..." not in said:
                words = shlex.split(said[start.start() :].removeprefix("-m "), comments=True)
                yield words[1 : next((place for place, word in enumerate(words) if word in (">", "|", "&&")), None)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_are_there_and_have_these_options(page: Path) -> None:
    for words in commands(page):
        command: click.Command = typer.main.get_command(app)
        context = click.Context(command, info_name="vistune")
        rest = list(words)
        while isinstance(command, click.Group):
            assert rest and rest[0] in command.commands, f"{page.name}: vistune {' '.join(words)}: there is no {rest[:1]}"
            command = command.commands[rest.pop(0)]
            context = click.Context(command, parent=context, info_name=command.name)
        try:
            command.make_parser(context).parse_args(rest)
        except click.UsageError as error:
            pytest.fail(f"{page.name}: vistune {' '.join(words)}: {error.format_message()}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_python_compiles_and_imports_what_there_is(page: Path) -> None:
    for text in blocks(page, "python", "py"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vistune":
                module = importlib.import_module(str(node.module))
                for alias in node.names:
                    inner = importlib.util.find_spec(f"{node.module}.{alias.name}") if hasattr(module, "__path__") else None
                    assert hasattr(module, alias.name) or inner, f"{page.name}: {node.module} has no {alias.name}"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "vistune":
                assert hasattr(importlib.import_module("vistune"), node.attr), f"{page.name}: there is no vistune.{node.attr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_yaml_reads_and_links_lead_somewhere(page: Path) -> None:
    for text in blocks(page, "yaml", "yml"):
        assert yaml.safe_load(text) is not None
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", prose):
        assert (page.parent / target).exists(), f"{page.name}: {target} is not there"


def test_the_pages_have_blocks_of_every_kind() -> None:
    assert sum(len(list(commands(page))) for page in PAGES) > 60
    assert sum(len(blocks(page, "python")) for page in PAGES) > 5
