"""The runner of methods: what is done is not done again, controls fit the task, and the page says what was measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.methods import controlled, rows, run
from benchmarks.methods_table import page
from vistune.data.samples import read
from vistune.nano import nano
from vistune.recipe import load_recipe

ROW = {
    "recipe": "valley", "seed": 1, "run": "a", "questions": 4, "trained": 1200, "tokens_per_second": 99.0, "machine": "m",
    "task": "film_order", "metric": "accuracy", "score": 80.0, "low": 60.0, "high": 90.0, "majority": 12.5,
    "controls": {"blind": 10.0, "one_frame": 20.0},
}  # fmt: skip


def test_the_latest_line_of_a_task_counts(tmp_path: Path) -> None:
    file = tmp_path / "methods.jsonl"
    lines = [ROW, ROW | {"seed": 2, "score": 90.0}, ROW | {"run": "b", "score": 70.0}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    kept = rows(file)
    assert [(row["seed"], row["score"]) for row in kept] == [(1, 70.0), (2, 90.0)]
    told = page(kept)
    assert "| film_order | 2 | **80.0** (70.0 – 90.0) | 10.0 | 12.5 | one frame 20.0 |" in told
    assert "1,200 parameters trained; 99 tokens a second" in told
    assert "| film_order* |" in page([row | {"earlier": True} for row in kept])


def test_controls_are_those_of_the_task() -> None:
    data = "world:?task=film_order&split=test&size=4"
    samples = list(read(data))
    found = dict(controlled("film_order", samples, data))
    assert list(found) == ["blind", "one_frame", "shuffled_frames"]
    assert all([one.turns for one in changed] == [one.turns for one in samples] for changed in found.values())
    assert found["one_frame"][0].media != samples[0].media


@pytest.mark.slow
def test_a_method_is_measured_once(tmp_path: Path) -> None:
    small = nano(load_recipe("point_llm"))
    stages = tuple(replace(stage, steps=2, batch=2, data="world:?task=solids&size=8") for stage in small.stages)
    results = tmp_path / "methods.jsonl"
    for _ in range(2):
        run(replace(small, stages=stages), tmp_path / "run", results, ["solid_name"], 4)
    (row,) = rows(results)
    assert row["task"] == "solid_name" and set(row["controls"]) == {"blind", "grey_points", "shaken_points"}
    assert len(results.read_text().splitlines()) == 1 and "## point_llm" in results.with_suffix(".md").read_text()
