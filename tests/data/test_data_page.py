"""The mixture of docs/data.md reads as it stands there; `tests/pages` runs what runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from vistune.data.samples import read

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


def written(part: str, count: int, folder: Path) -> None:
    records = []
    for number in range(count):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(folder / "photos" / f"{number}.jpg")
        turns = [{"from": "human", "value": f"<image>\nQ{number}"}, {"from": "gpt", "value": f"A{number}"}]
        records.append({"id": str(number), "image": f"{number}.jpg", "conversations": turns})
    (folder / f"{part}.json").write_text(json.dumps(records))


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_mixture_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    written("train", 20, tmp_path)
    (tmp_path / "vqa.json").write_text(json.dumps([{"image_id": n, "question": "Q?", "answer": "A"} for n in range(5)]))
    (tmp_path / "mix.yaml").write_text(blocks("yaml")[0].replace("100000", "30"))
    samples = read("mixture:mix.yaml")
    assert len(samples) == 60
    assert any(sample.turns[0].text == "Q?\nAnswer the question with one word." for sample in samples)
