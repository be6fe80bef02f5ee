"""What a step's line says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vistune.recipe import Recipe
from vistune.training.run import train

KEPT = {"train": {"llm": 1e-3}, "data": "world:?task=captions&size=8", "batch": 8, "steps": 3}


def test_every_line_tells_rates_waits_memory_and_utilisation(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    stage = {"name": "s", **KEPT}
    train(Recipe.from_json({"name": "test", "model": tiny_spec, "stages": [stage]}), tmp_path / "run", report=False)
    lines = [json.loads(line) for line in (tmp_path / "run" / "logs" / "s.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    for line in lines:
        assert line["samples"] == 8 and 0 < line["supervised"] < line["tokens"] and line["padding_percent"] == 0
        assert 0 <= line["loader_wait_percent"] <= 100 and line["memory_mb"] > 1
        assert line["tokens_per_second"] > line["supervised_per_second"] > 0 and 0 < line["mfu"] < 2
