"""What was broken in a first hour, each held by the command that failed; other tests of that kind stand by their subjects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from typer.testing import CliRunner, Result

from vistune import cli
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import save


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def pictures(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        noise = np.random.default_rng(number).integers(0, 255, (40, 60, 3), np.uint8)
        Image.fromarray(noise).save(folder / name)


def test_a_typo_in_the_model_leaves_no_run_folder(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    stage = {"name": "s", "train": {"connector": 1e-3}, "data": "world:?task=count&size=8", "batch": 4, "steps": 1}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({"name": "t", "model": tiny_spec, "stages": [stage]}))
    command = ["train", tmp_path / "run.yaml", "--out", tmp_path / "run"]
    assert "did you mean 'depth'" in str(run(*command, "--set", "model.connector.dept=3").exception)
    assert not (tmp_path / "run").exists()
    assert run(*command).exit_code == 0, "the mended command takes the same folder"


def test_a_stage_of_text_alone_ends_with_its_checkpoint(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    records = [{"instruction": f"Say {number}", "output": "one"} for number in range(4)]
    (tmp_path / "text.json").write_text(json.dumps(records))
    stage = {"name": "s", "train": {"connector": 1e-3, "llm": 1e-3}, "data": "world:?task=count&size=8", "batch": 4, "steps": 1}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({"name": "t", "model": tiny_spec, "stages": [stage]}))
    data = f"instructions:{tmp_path / 'text.json'}"
    done = run("train", tmp_path / "run.yaml", "--out", tmp_path / "run", "--data", data)
    assert done.exit_code == 0, done.exception
    assert "no sample reached connector, which stays as it was" in done.output
    assert (tmp_path / "run" / "s" / "model.safetensors").is_file()


@pytest.mark.parametrize("key", ["image", "images"])
@pytest.mark.parametrize("kind", ["instructions", "qa"])
def test_pictures_named_in_a_record_are_shown_where_the_text_says(kind: str, key: str, tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    words = {"instructions": ("instruction", "output"), "qa": ("question", "answer")}[kind]
    record = {"id": "1", words[0]: "<image>Which?", words[1]: "a cat", key: ["a.png"] if key == "images" else "a.png"}
    (tmp_path / "data.json").write_text(json.dumps([record]))
    spec = f"{kind}:{tmp_path / 'data.json'}" + (f"?image={key}" if kind == "qa" else "")
    assert run("data", "convert", spec, "samples", tmp_path / "out.jsonl").exit_code == 0
    (line,) = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert line["turns"][0]["content"] == [{"media": 0}, {"text": "Which?"}]


def test_a_picture_under_an_unknown_key_is_told(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    turns = [{"from": "human", "value": "Which?"}, {"from": "gpt", "value": "a cat"}]
    (tmp_path / "data.json").write_text(json.dumps([{"id": "1", "img": "a.png", "conversations": turns}]))
    said = run("data", "check", f"conversations:{tmp_path / 'data.json'}", "--workers", 1).output
    assert "'img' is in the records, and the reader makes no use of it" in said and "no sample has a medium" in said


def test_a_literal_image_mark_without_a_picture_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text(json.dumps([{"instruction": "<image>Which?", "output": "a cat"}]))
    done = run("data", "check", f"instructions:{tmp_path / 'data.json'}", "--workers", 1)
    assert done.exit_code == 1 and "unreadable" in done.output and "<image>" in done.output


def test_a_chat_writes_nothing_beside_the_pictures(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    torch.manual_seed(0)
    save(VisionLanguageModel(ModelSpec.from_json(tiny_spec)), tmp_path / "model", {"connector"})
    (tmp_path / "photos").mkdir()
    pictures(tmp_path / "photos", "a.png")
    box = "<loc_1><loc_1><loc_6><loc_6>"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vistune.chat.Conversation.ask", lambda talk, question: _boxed(talk, box))
        command = ["chat", tmp_path / "model", "--image", tmp_path / "photos" / "a.png", "Where?"]
        assert box in run(*command).output
        assert [file.name for file in (tmp_path / "photos").iterdir()] == ["a.png"]
        run(*command, "--out", tmp_path / "drawn.png")
    assert (tmp_path / "drawn.png").is_file()


def _boxed(talk: Any, text: str) -> str:
    from vistune.sample import Region, Text, Turn

    talk.regions, talk.turns = (Region(box=(0.1, 0.1, 0.8, 0.8)),), (Turn("assistant", (Text(text),)),)
    return text


def test_a_picture_that_cannot_be_opened_is_not_too_long(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    pictures(tmp_path, "0.png", "1.png")
    (tmp_path / "3.png").write_bytes(b"no picture")
    records = [
        {
            "id": str(number),
            "image": f"{number}.png",
            "conversations": [
                {"from": "human", "value": "<image>\nWhich?" + " word" * (400 if number == 1 else 1)},
                {"from": "gpt", "value": "a cat"},
            ],
        }
        for number in range(4)
    ]
    (tmp_path / "data.json").write_text(json.dumps(records))
    stage = {"name": "s", "train": {"connector": 1e-3}, "data": "world:?task=count&size=8", "batch": 4}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({"name": "t", "model": tiny_spec, "stages": [stage]}))
    command = ["data", "check", f"conversations:{tmp_path / 'data.json'}", "--recipe", tmp_path / "run.yaml", "--workers", 1]
    counts = json.loads(run(*command, "--json").output)["counts"]
    assert {reason: counts.get(reason) for reason in ("too_long", "missing_file", "undecodable")} == {
        "too_long": 1,
        "missing_file": 1,
        "undecodable": 1,
    }


def pope(folder: Path) -> tuple[Path, Path, Path]:
    """Six questions, the answers of a model that says nothing, and those of one that is half right."""
    pictures(folder, *(f"{number}.png" for number in range(6)))
    asked = [
        {"question_id": number, "image": f"{number}.png", "text": "Is there a dog?", "label": "no" if number % 2 else "yes"}
        for number in range(6)
    ]
    files = folder / "coco_pope_random.json", folder / "silent.jsonl", folder / "half.jsonl"
    files[0].write_text("\n".join(json.dumps(line) for line in asked))
    for file, said in ((files[1], ""), (files[2], "no")):
        file.write_text("\n".join(json.dumps({"id": str(number), "answer": said}) for number in range(6)))
    return files


def test_silence_is_said_beside_popes_number_and_is_never_the_best(tmp_path: Path) -> None:
    questions, silent, half = pope(tmp_path)
    said = run("score", "pope", silent, "--annotations", questions, "--set", "split=random").output
    assert "6 answers do not say yes; the official rule reads them as yes" in said
    exact = run("score", "pope", silent, "--annotations", questions, "--set", "split=random", "--set", "rule=exact").output
    assert "6 answers unparsed, counted wrong" in exact
    for file in (silent, half):
        result = run("score", "pope", file, "--annotations", questions, "--set", "split=random", "--json").output
        folder = tmp_path / "results" / file.stem
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(json.dumps(json.loads(result) | {"model": file.stem}))
    assert run("report", tmp_path / "results", "--out", tmp_path / "report").exit_code == 0
    table = next((tmp_path / "report").glob("*.md")).read_text()
    rows = {line.split("|")[1].strip(): line for line in table.splitlines() if line.startswith(("| silent", "| half"))}
    assert "**" not in rows["silent"] and "**" in rows["half"] and "silent on pope: 6 guessed of 6 answers" in table


def test_a_judge_without_a_readable_reply_gives_no_score(tmp_path: Path) -> None:
    (tmp_path / "answers.json").write_text(json.dumps({"1": "yes"}))
    record = {"id": "1", "media": [], "turns": [{"role": "user", "content": [{"text": "Is it red?"}]}], "answers": ["yes"]}
    (tmp_path / "samples.jsonl").write_text(json.dumps(record) + "\n")
    (tmp_path / "said.jsonl").write_text(json.dumps({"id": "1", "answer": "yes"}) + "\n")
    (tmp_path / "script.jsonl").write_text('"I cannot grade this."\n' * 3)
    script = ["--completer", f"scripted:{tmp_path / 'script.jsonl'}", "--out", tmp_path / "replies.jsonl"]
    command = ["judge", "rating", "short_answers", tmp_path / "said.jsonl", *script, "--annotations"]
    assert "has an answer but no question" in str(run(*command, tmp_path / "answers.json").exception)
    done = run(*command, tmp_path / "samples.jsonl")
    assert "none of the judge's 1 replies keeps to the form" in str(done.exception) and "rating" not in done.output
    assert len((tmp_path / "replies.jsonl").read_text().splitlines()) == 3, "every raw reply is kept"


@pytest.mark.parametrize(
    ("error", "advised"),
    [
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), "micro=1"),
        (OSError(27, "File too large"), "the disk is full"),
    ],
)
def test_what_ran_out_ends_in_a_sentence(
    error: Exception, advised: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().err
    assert end.value.code == 2 and advised in said and said.count("\n") == 1
