"""Pictures that lie beside their file, and mistakes that are found at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from vistune.cli import app
from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.evals.score import open_benchmark, read_samples


def test_media_of_a_samples_file_lie_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    turn = {"role": "user", "content": [{"media": 0}, {"text": "What?"}]}
    record = {"id": "1", "media": [{"kind": "image", "path": "a.png"}], "turns": [turn], "answers": ["red"]}
    (tmp_path / "s.jsonl").write_text(json.dumps(record) + "\n")
    monkeypatch.chdir("/")
    (sample,) = read_samples(open_benchmark("short_answers"), str(tmp_path / "s.jsonl"))
    assert load_image(sample.media[0]).size == (8, 8)


def test_a_methods_typo_is_found_before_another_is_trained(tmp_path: Path) -> None:
    command = ["promptlearn", "run", "--model", "nothing", "--method", "zero_shot,zeroshot", "--out", str(tmp_path / "o")]
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, InputError) and "did you mean 'zero_shot'" in str(done.exception)
    assert not (tmp_path / "o").exists()


def test_helps_of_commands_are_not_cut() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    assert "..." not in shown.partition("Commands:")[2]
