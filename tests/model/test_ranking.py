"""`--options`: a real (tiny, untaught) checkpoint chooses among a sample's choices from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from vistune.cli import app
from vistune.errors import InputError
from vistune.evals.run import together
from vistune.model.answering.answerer import CheckpointModel
from vistune.model.answering.ranking import likeliest
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import save
from vistune.sample import Media, MediaRef, Sample, Text, Turn

CHOICES = [["yes", "no", "A red bus."], ["Two cats on a mat.", "one"], ["no", "yes"]]


@pytest.fixture
def folder(tiny_spec: dict[str, Any], tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save(VisionLanguageModel(ModelSpec.from_json(tiny_spec)), tmp_path / "model", {"connector"})
    Image.new("RGB", (40, 32), "red").save(tmp_path / "red.png")
    records = [
        {"id": f"q{number}", "image": "red.png", "question": "What is it?", "answer": "A", "choices": choices}
        for number, choices in enumerate(CHOICES)
    ]
    (tmp_path / "q.json").write_text(json.dumps(records))
    return tmp_path


@pytest.mark.parametrize("rule", ["sum", "mean"])
def test_the_command_answers_with_the_likeliest_choices_letter(folder: Path, rule: str) -> None:
    data = f"qa:{folder}/q.json?images={folder}&choices=choices"
    arguments = ["predict", f"{folder}/model", "--data", data, "--out", f"{folder}/p.jsonl", "--options", rule]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0 and "3 predictions" in done.output
    answers = [json.loads(line)["answer"] for line in (folder / "p.jsonl").read_text().splitlines()]
    model = CheckpointModel(folder / "model").model
    assert isinstance(model, VisionLanguageModel)
    medium = (Media.file("image", str(folder / "red.png")),)
    for letter, choices in zip(answers, CHOICES, strict=True):
        question = Sample("q", medium, (Turn("user", (MediaRef(0), Text("\nWhat is it?"))),))
        scores = model.rank(question, choices, mean=rule == "mean")
        assert "ABC".index(letter) == scores.index(max(scores))
    with pytest.raises(InputError, match="answered by another model"):
        CliRunner().invoke(app, arguments[:-2], catch_exceptions=False)


def test_what_has_no_choices_or_no_rule_is_refused(folder: Path) -> None:
    model = CheckpointModel(folder / "model").model
    assert isinstance(model, VisionLanguageModel)
    with pytest.raises(InputError, match="sample 'x': has no choices to rank"):
        likeliest(model, Sample("x", (), (Turn("user", (Text("What?"),)),)), "sum")
    arguments = [
        "predict",
        f"{folder}/model",
        "--data",
        f"qa:{folder}/q.json",
        "--out",
        f"{folder}/p.jsonl",
        "--options",
        "max",
    ]
    with pytest.raises(InputError, match="expected sum or mean"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_questions_about_a_picture_are_put_together() -> None:
    media = [Media.file("image", f"{name}.png") for name in "ab"]
    samples = [Sample(str(number), (media[number % 2],), (Turn("user", (Text("?"),)),)) for number in range(5)]
    assert [sample.id for sample in together(samples)] == ["0", "2", "4", "1", "3"]
