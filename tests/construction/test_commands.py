"""`vistune build`: what the commands print and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.construction.fake_endpoint import FakeEndpoint
from vistune.commands.build import app
from vistune.construction.pipeline import names
from vistune.errors import InputError

REPLY = "Question:\nWhat is there?\n===\nAnswer:\nThere is a red circle."


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_list_names_every_pipeline_with_needs_and_yields():
    told = printed("list").splitlines()
    assert [line.split()[0] for line in told] == names() and len(told) == 41
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
    assert all(prompt["demonstration"]["reply"] in text for prompt in told["prompts"])


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
        (["json:loads", "--data", "world", "--dry-run"], "expected a vistune.construction.pipeline.Pipeline"),
    ],
)
def test_wrong_choices_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        CliRunner().invoke(app, ["run", *arguments], catch_exceptions=False)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("endpoint:http://host/v1?model=m&nonsense=1", "no key 'nonsense'"),
        ("endpoint:ftp://host/v1?model=m", "is no address"),
        ("endpoint:http://host/v1?model=m&key_env=sk-abcdef", "is not the name of a variable that is set"),
        ("local:model?batch=many", "local.batch is 'many', expected int"),
        ("replay:none.jsonl", "there is no such file"),
    ],
)
@pytest.mark.parametrize("role", ["--completer", "--viewer"])
def test_a_dry_run_refuses_what_the_run_would_refuse(spec: str, said: str, role: str):
    arguments = ["run", "llava_instruct", "--data", "world", "--limit", "1", "--dry-run", role, spec]
    with pytest.raises(InputError, match=said):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_a_dry_run_asks_nobody():
    with FakeEndpoint() as server:
        told = printed(
            "run", "svit", "--data", "world", "--limit", "1", "--dry-run", "--completer", f"endpoint:{server.url}?model=m"
        )
        assert "requests: 1 conversation" in told and not server.seen


def test_a_review_of_less_than_nothing_is_refused(tmp_path: Path):
    result = CliRunner().invoke(app, ["review", str(tmp_path), "--most", "-1"])
    assert result.exit_code == 2 and "--most" in result.output


def test_a_file_in_place_of_a_folder_and_a_folder_in_place_of_a_file(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for name, extra, said in (("file", [], "is a file: expected a folder"), ("out", ["--cache", str(tmp_path)], "is a folder")):
        arguments = ["run", "llava_instruct", "--data", "world", "--limit", "1", "--out", str(tmp_path / name), *extra]
        with pytest.raises(InputError, match=said):
            CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_interrupted_run_says_how_it_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vistune.construction.running.runner.write_page", interrupted)
    result = CliRunner().invoke(app, ["run", "llava_instruct", "--data", "world", "--limit", "1", "--out", str(tmp_path)])
    assert result.exit_code == 130 and "the same command continues this run" in result.output


def test_what_all_runs_cost_is_told_where_earlier_ones_left_replies(tmp_path: Path):
    options = ["--data", "world", "--out", str(tmp_path / "out"), "--completer"]
    with FakeEndpoint(text=REPLY) as server:
        completer = f"endpoint:{server.url}?model=m"
        first = printed("run", "llava_instruct", *options, completer, "--limit", "2")
        second = printed("run", "llava_instruct", *options, completer, "--limit", "3")
    assert "all runs" not in first and "20 + 10 tokens" in first
    assert "10 + 5 tokens, 0.0000 USD (all runs: 30 + 15 tokens, 0.0000 USD)" in second
    asked = json.loads((tmp_path / "out" / "run.json").read_text())["asked"]["writer"]
    assert asked["prompt_tokens"] == 10 and asked["all_runs"]["prompt_tokens"] == 30


def test_pipelines_that_see_need_a_viewer_where_a_model_writes(tmp_path: Path):
    (tmp_path / "script.jsonl").write_text("")
    options = ["--data", "world", "--out", str(tmp_path / "out"), "--completer", f"scripted:{tmp_path / 'script.jsonl'}"]
    with pytest.raises(InputError, match="give --viewer"):
        CliRunner().invoke(app, ["run", "vigc", *options], catch_exceptions=False)
