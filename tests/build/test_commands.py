"""`vistune build`: what the commands print and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vistune.build.pipeline import names
from vistune.commands.build import app
from vistune.errors import InputError


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_list_names_every_pipeline_with_needs_and_yields():
    told = printed("list").splitlines()
    assert [line.split()[0] for line in told] == names() and len(told) == 35
    assert (
        "needs captions, objects; yields conversations, detailed descriptions, reasoning"
        in told[names().index("llava_instruct")]
    )
    entries = json.loads(printed("list", "--json"))
    assert entries[0].keys() == {"name", "needs", "yields", "method"}


@pytest.mark.parametrize("name", names())
def test_show_prints_every_prompt(name: str):
    told = json.loads(printed("show", name, "--json"))
    text = printed("show", name)
    assert told["method"] in text and all(prompt["system"] in text for prompt in told["prompts"])


def test_run_builds_from_the_world(tmp_path: Path):
    told = printed("run", "llava_instruct", "--data", "world", "--limit", "3", "--out", str(tmp_path))
    assert told.startswith("3 samples, ") and "rejected: none" in told and "0 from earlier replies" in told
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")} == {
        "media",
        "rejects.jsonl",
        "replies.jsonl",
        "review.html",
        "run.json",
        "samples.jsonl",
        "trace.jsonl",
    }
    assert printed("review", str(tmp_path)).strip() == str(tmp_path / "review.html")


def test_a_dry_run_prints_three_requests_and_the_cost():
    told = printed("run", "svit", "--data", "world", "--limit", "2", "--dry-run", "--price-in", "1", "--price-out", "4")
    assert told.count("=== request") == 3 and "requests: 2 conversation, 2 reasoning, 2 detail, 2 referring" in told
    assert " USD, at most " in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["llava_instrukt", "--data", "world", "--dry-run"], "did you mean 'llava_instruct'"),
        (["llava_instruct", "--data", "world"], "give --out"),
        (["llava_instruct", "--data", "world", "--out", "x", "--engine", "spark"], "use local or ray"),
        (["llava_instruct", "--data", "world", "--label", "ocr", "--dry-run"], "expected KIND=package.module:Class"),
        (["json:PIPELINE", "--data", "world", "--dry-run"], "expected package.module:PIPELINE"),
        (["json:loads", "--data", "world", "--dry-run"], "expected a vistune.build.pipeline.Pipeline"),
    ],
)
def test_wrong_choices_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        CliRunner().invoke(app, ["run", *arguments], catch_exceptions=False)


def test_pipelines_that_see_need_a_viewer(tmp_path: Path):
    with pytest.raises(InputError, match="give --viewer"):
        CliRunner().invoke(app, ["run", "vigc", "--data", "world", "--out", str(tmp_path)], catch_exceptions=False)
