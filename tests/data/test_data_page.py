"""Every command, mixture and program of docs/data.md runs as it stands there."""

from __future__ import annotations

import json
import re
import shlex
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from vistune.cli import app
from vistune.data.samples import read
from vistune.sample import Sample

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("vistune ")]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    chance = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for part, numbers in (("train", range(20)), ("test", range(20, 24))):
        records = []
        for number in numbers:
            pixels = chance.integers(0, 256, (16, 16, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / f"{number}.jpg")
            turns = [{"from": "human", "value": f"<image>\nQ{number}"}, {"from": "gpt", "value": f"A{number}"}]
            records.append({"id": str(number), "image": f"{number}.jpg", "conversations": turns})
        (tmp_path / f"{part}.json").write_text(json.dumps(records))
    (tmp_path / "q.csv").write_text("image_id,question,answer\n1,Q?,A\n")
    (tmp_path / "vqa.json").write_text(json.dumps([{"image_id": n, "question": "Q?", "answer": "A"} for n in range(5)]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command: str, here: Path) -> None:
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    assert result.exit_code == 0, f"{result.output}{result.exception}"


def test_programs_run(here: Path) -> None:
    with tarfile.open("train-000.tar", "w") as tar:
        for number in range(6):
            (here / f"{number}.txt").write_text(f"Caption {number}.")
            tar.add(f"photos/{number}.jpg", f"{number}.jpg")
            tar.add(f"{number}.txt")
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block, names)  # noqa: S102
    assert len(names["shards"]) == 6 and isinstance(names["sample"], Sample)  # type: ignore[arg-type]


def test_the_mixture_reads(here: Path) -> None:
    (here / "mix.yaml").write_text(blocks("yaml")[0].replace("100000", "30"))
    samples = read("mixture:mix.yaml")
    assert len(samples) == 60
    assert any(sample.turns[0].text == "Q?\nAnswer the question with one word." for sample in samples)
