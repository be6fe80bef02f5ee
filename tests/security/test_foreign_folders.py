"""Run folders and results that came from elsewhere: pages of them are written, or one sentence says what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vistune.commands.report import page
from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.files import dump_yaml, read_json, write_json, write_jsonl
from vistune.nano import nano
from vistune.recipe import load_recipe
from vistune.sample import Media
from vistune.training.report.page import html
from vistune.trust import is_loopback

STEP: dict[str, Any] = {"step": 1, "steps": 2, "loss": 2.5}
MEASURED: dict[str, Any] = {"name": "held", "step": 2, "n": 8, "values": {"loss": 2.0}}
RESULT: dict[str, Any] = {"benchmark": "gqa", "model": "m", "rule": "r", "values": {"accuracy": 50.0}, "unit": "%", "n": 4}
SCRIPT = "</td></style><script>alert(1)</script>"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "logs").mkdir(parents=True)
    recipe = nano(load_recipe("llava")).to_json()
    recipe["stages"] = recipe["stages"][:1]
    recipe["stages"][0]["name"] = "align"
    (folder / "run.yaml").write_text(dump_yaml(recipe))
    write_json(folder / "manifest.json", {"versions": {}, "stages": [{"stage": "align"}]})
    write_jsonl(folder / "logs" / "align.jsonl", [STEP])
    write_jsonl(folder / "logs" / "align.eval.jsonl", [MEASURED])
    return folder


def test_the_folder_is_a_run(run: Path) -> None:
    assert "held out" in html([run])


@pytest.mark.parametrize(
    ("file", "wrong"),
    [
        ("run.yaml", "{name: x, stages: [{}]}"),
        ("run.yaml", "{name: x, model: {llm: builtin:language}, stages: [{name: ../x, train: {llm: 1}, data: world}]}"),
        ("manifest.json", "[]"),
        ("manifest.json", '{"versions": {"torch": 2}}'),
        ("manifest.json", '{"stages": [{"stage": "align", "files": {"a": 5}}]}'),
        ("manifest.json", '{"stages": [{"stage": "align", "unused_keys": []}]}'),
        ("logs/align.jsonl", '"a"\n'),
        ("logs/align.jsonl", "{\n"),
        ("logs/align.jsonl", '{"step": 1, "steps": 2}\n'),
        ("logs/align.jsonl", '{"step": 1, "steps": 2, "loss": "2"}\n'),
        ("logs/align.jsonl", '{"step": 1, "steps": 2, "loss": 1, "seconds": true}\n'),
        ("logs/align.jsonl", '{"step": 1, "steps": 2, "loss": 1' + "0" * 400 + "}\n"),
        ("logs/align.jsonl", "[" * 100_000 + "\n"),
        ("logs/align.eval.jsonl", '{"name": "held", "step": 2, "n": 8, "values": {"loss": null}}\n'),
        ("logs/align.eval.jsonl", '{"name": "held", "step": 2, "n": 8, "values": {"\\ud800": 1}}\n'),
    ],
)
def test_what_no_run_writes_is_one_sentence(run: Path, file: str, wrong: str) -> None:
    (run / file).write_text(wrong)
    with pytest.raises(InputError, match=file.rpartition("/")[2]) as found:
        html([run])
    assert "\n" not in str(found.value)


def test_a_log_elsewhere_is_not_shown(run: Path, tmp_path: Path) -> None:
    (run / "logs" / "align.jsonl").rename(tmp_path / "private.jsonl")
    (run / "logs" / "align.jsonl").symlink_to(tmp_path / "private.jsonl")
    with pytest.raises(InputError, match="a link that leads out of"):
        html([run])


@pytest.mark.parametrize(
    "changes",
    [
        {"values": {"accuracy": "50"}},
        {"values": {"accuracy": 10**400}},
        {"interval": {"low": "a", "high": 2}},
        {"interval": {"low": 10**400, "high": 2}},
        {"interval": [1, 2]},
        {"n": "4"},
        {"unit": 5},
        {"details": {"guessed": "x"}},
        {"rule": None},
    ],
)
def test_what_no_evaluation_writes_is_one_sentence(tmp_path: Path, changes: dict[str, Any]) -> None:
    write_json(tmp_path / "gqa" / "result.json", RESULT | changes)
    with pytest.raises(InputError, match=r"result\.json is not a result of `vistune eval`"):
        page([tmp_path], 4)


@pytest.mark.parametrize("item", [{"images": 5}, {"images": [5]}, {"expected": 5}, {"score": "x"}, {"score": 10**400}])
def test_items_of_another_form_are_one_sentence(tmp_path: Path, item: dict[str, Any]) -> None:
    write_json(tmp_path / "gqa" / "result.json", RESULT)
    write_jsonl(tmp_path / "gqa" / "items.jsonl", [{"id": "1", "score": 0.0} | item])
    with pytest.raises(InputError, match=r"items\.jsonl"):
        page([tmp_path], 4)


def test_names_and_answers_are_text_in_a_report(tmp_path: Path) -> None:
    """Markup is shown as it is written, and what stands between dollar signs is no formula of a figure."""
    for name in ("gqa", "pope", "mme"):
        write_json(tmp_path / name / "result.json", RESULT | {"benchmark": name, "model": rf"$\x$ {SCRIPT}"})
        item = {"id": SCRIPT, "score": 0.0, "prompt": SCRIPT, "answer": SCRIPT, "expected": [SCRIPT], "images": ["\0"]}
        write_jsonl(tmp_path / name / "items.jsonl", [item])
    text = page([tmp_path], 4)
    assert "<script" not in text and "&lt;script&gt;" in text and "no file has a name with a zero byte" in text


def test_half_a_surrogate_pair_in_a_json_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"model": "\\ud800"}')
    with pytest.raises(InputError, match=r"a\.json: a text holds half of a surrogate pair"):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text('{"model": "\\ud83d\\ude00"}')
    assert read_json(tmp_path / "a.json") == {"model": "\U0001f600"}


def test_a_name_with_a_zero_byte_is_no_file() -> None:
    with pytest.raises(InputError, match="no file has a name with a zero byte"):
        load_image(Media.file("image", "a\0.png"))


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1:80", True), ("localhost", True), ("[::1]:9", True), ("elsewhere.example", False), ("", False), ("[", False)],
)
def test_only_this_machines_names_are_answered(host: str, here: bool) -> None:
    assert is_loopback(host) == here
