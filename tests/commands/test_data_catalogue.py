"""`vistune data list` and `vistune data show`, and the page made from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vistune.commands.catalogue import app
from vistune.data.catalogue import entries
from vistune.errors import InputError

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_list_names_every_data_set() -> None:
    assert [line.split()[0] for line in run("list").splitlines()] == [entry.name for entry in entries()]


def test_list_of_a_task_and_modality() -> None:
    listed = json.loads(run("list", "--task", "captioning", "--modality", "audio", "--json"))
    assert {entry["name"] for entry in listed} == {"audiocaps", "clotho_detail", "vggss"}


def test_show_prints_the_files_and_how_to_read_them() -> None:
    text = run("show", "vqa_v2")
    assert "catalogue:vqa_v2?path=FOLDER&part=train2014" in text
    assert "path: FOLDER/v2_OpenEnded_mscoco_train2014_questions.json" in text


def test_show_of_a_data_set_without_files_says_so() -> None:
    assert "There are no files to read." in run("show", "webli_100b")


def test_show_json_is_the_entry() -> None:
    assert json.loads(run("show", "gqa", "--json"))["reader"]["kind"] == "qa"


REFUSED = [
    (["show", "vqa_v3"], "vqa_v2"),
    (["list", "--task", "vqa"], "no task 'vqa'"),
    (["list", "--modality", "vidoe"], "did you mean 'video'"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_unknown_names_are_refused_with_the_nearest(arguments: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == run("list", "--markdown"), "vistune data list --markdown > docs/datasets.md"
