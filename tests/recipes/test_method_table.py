"""The methods as they are listed: complete, true of their parts, each different from every other, the page up to date."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vistune.cli import app
from vistune.methods.page import DRAWINGS, page
from vistune.methods.table import FAMILIES, PLAIN, PRODUCES, RECORDED, chosen, methods
from vistune.recipe import load_recipe, names
from vistune.spec import kinds, resolve

ROOT = Path(__file__).parents[2]
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))
FOLDERS = ("connectors", "fusion", "heads", "regions", "encoders")


def test_every_recipe_is_a_method_of_a_family() -> None:
    assert sorted(row.name for row in methods()) == names()
    assert set(DRAWINGS) == set(FAMILIES) and {row.family for row in methods()} <= set(FAMILIES)


def test_two_recipes_are_two_methods() -> None:
    """Two recipes with the same model, stages and data would be one."""
    told = {}
    for name in names():
        record = load_recipe(name).to_json()
        told[name] = json.dumps({key: record[key] for key in ("model", "stages", "start")}, sort_keys=True)
    same = [pair for pair in combinations(told, 2) if told[pair[0]] == told[pair[1]]]
    assert not same


def test_what_is_said_of_parts_is_true_of_them() -> None:
    known = {kind for folder in FOLDERS for kind in kinds(f"vistune.model.{folder}")}
    assert RECORDED.keys() <= known and known >= PLAIN and not RECORDED.keys() & PLAIN
    assert set(PRODUCES) == set(kinds("vistune.model.heads"))
    for kind, words in PRODUCES.items():
        made = {what.removeprefix("produce_") for what in resolve("vistune.model.heads", kind).makes}
        assert made == {{"masks": "mask", "boxes": "box", "pictures": "image"}[words]}, kind


@pytest.mark.parametrize("name", sorted({name for held in RECORDED.values() for name in held}))
def test_a_recording_that_is_named_is_read_by_a_test(name: str) -> None:
    # Some tests write the first word of a name by itself: f"{method}_multilevel_roi".
    assert name in TESTS or f"}}_{name.partition('_')[2]}" in TESTS or f'"{name.partition("_")[2]}"' in TESTS


def test_the_list_is_filtered_by_what_goes_in_and_out() -> None:
    assert {row.name for row in chosen(gives=["masks"])} == {"glamm", "lisa"}
    assert {row.name for row in chosen(["regions"], ["mask"])} == {"glamm"}
    assert all("films" in row.takes for row in chosen(["video"]))
    said = CliRunner().invoke(app, ["recipes", "--takes", "pictures", "--gives", "boxes", "--json"])
    assert {row["name"] for row in json.loads(said.output)} == {"asm", "vision_llm"}
    assert "no method" in CliRunner().invoke(app, ["recipes", "--takes", "smells"]).output


def test_the_page_is_what_the_command_prints() -> None:
    assert (ROOT / "docs/methods.md").read_text(encoding="utf-8") == page(methods()), (
        "write it again: vistune recipes --markdown > docs/methods.md"
    )
