"""Blocks of the README and all docs, read: Python names what there is, commands have their options, YAML reads, links lead on.

`test_page_blocks.py` runs them; here those are looked at, too, that are not run.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from pathlib import Path

import click
import pytest
import typer
import yaml
from page_blocks import PAGES, PYTHON, READ, ROOT, RUN, blocks, commands, name_of, prose

from vistune.cli import app


@pytest.fixture(scope="module")
def root() -> click.Command:
    """All commands; putting them together takes a moment."""
    return typer.main.get_command(app)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_are_there_and_have_these_options(page: Path, root: click.Command) -> None:
    for words in commands(page):
        command = root
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


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_compiles_and_imports_what_there_is(page: Path) -> None:
    for block in blocks(page, PYTHON):
        for node in ast.walk(ast.parse(block.text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vistune":
                module = importlib.import_module(str(node.module))
                for alias in node.names:
                    inner = importlib.util.find_spec(f"{node.module}.{alias.name}") if hasattr(module, "__path__") else None
                    assert hasattr(module, alias.name) or inner, f"{page.name}: {node.module} has no {alias.name}"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "vistune":
                assert hasattr(importlib.import_module("vistune"), node.attr), f"{page.name}: there is no vistune.{node.attr}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_yaml_reads_and_links_lead_somewhere(page: Path) -> None:
    for block in blocks(page, "yaml"):
        assert yaml.safe_load(block.text) is not None
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", prose(page)):
        assert (page.parent / target).exists(), f"{page.name}: {target} is not there"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_its_language_and_commands_stand_where_they_are_run(page: Path) -> None:
    for block in blocks(page):
        where = f"{page.name}:{block.line}"
        assert block.language in (*RUN, *READ), f"{where}: a block of {block.language or 'no language'}"
        assert not block.not_run or block.language in RUN, f"{where}: {block.language} is never run"
        if block.language in READ:
            command = re.search(r"^(?:\$ )?(?:vistune|python|torchrun|make|pip) ", block.text, re.MULTILINE)
            assert not command, f"{where}: a command in {block.language}"


def test_the_pages_have_blocks_of_every_kind() -> None:
    assert sum(len(list(commands(page))) for page in PAGES) > 60
    assert sum(len(blocks(page, PYTHON)) for page in PAGES) > 5


@pytest.mark.parametrize("page", ["README.md", "docs/design.md"])
def test_the_map_has_a_line_for_every_room_and_no_other(page: str) -> None:
    rooms = {path.stem if path.suffix else path.name for path in (ROOT / "vistune").iterdir() if path.suffix in ("", ".py")}
    rooms -= {"__pycache__", "__init__", "__main__"}
    rows = [row.split("|")[1] for row in (ROOT / page).read_text(encoding="utf-8").splitlines() if row.startswith("| `")]
    named = [name.removeprefix("vistune/") for row in rows for name in re.findall(r"`([\w/]+(?:/|\.py))`", row)]
    told = {name.removesuffix(".py").strip("/") for name in named}
    assert rooms <= told, rooms - told
    if page == "README.md":
        assert told <= rooms, told - rooms


def test_every_place_where_things_went_is_there() -> None:
    page = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    table = page[page.index("## Where things went") : page.index("## Modalities")]
    places = [
        place for row in table.splitlines() if row.startswith("| `") for place in re.findall(r"`([^`]+)`", row.split("|")[2])
    ]
    assert len(places) > 20
    gone = [place for place in places if "/" in place and not (ROOT / "vistune" / place).exists()]
    assert not gone
