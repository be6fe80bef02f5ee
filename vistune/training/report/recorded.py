"""What a run has written about itself, held to its form once: the pages and the card made of it then need no doubts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vistune.errors import InputError, reading
from vistune.files import json_line, kept, parse_yaml, read_json
from vistune.recipe import Recipe
from vistune.spec import is_number, matches

NUMBERS = (
    *("step", "steps", "loss", "grad_norm", "lr_factor", "tokens_per_second", "loader_wait_percent", "memory_mb", "seconds"),
    *("rewards_margin", "rewards_accuracy", "dropped_turns", "dropped_media"),
)
"""What pages show of a step: numbers, or absent."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder as it is now.

    recipe:   the content of its `run.yaml`, checked as `vistune train` checks it
    steps:    by stage, a line a step
    measured: by stage, a line a measurement: `name`, `step`, `n`, and `values` by metric
    """

    folder: Path
    recipe: dict[str, Any]
    manifest: dict[str, Any]
    steps: dict[str, list[dict[str, Any]]]
    measured: dict[str, list[dict[str, Any]]]

    @classmethod
    def read(cls, folder: Path) -> Run:
        """Raises `InputError` for a folder that holds no run, and for files that no run writes."""
        file = folder / "run.yaml"
        if not file.is_file():
            raise InputError(f"{folder} holds no run: it has no run.yaml")
        with reading(str(file)):
            content = parse_yaml(file.read_text(encoding="utf-8"), str(file))
        try:
            recipe = Recipe.from_json(content, "it").to_json()
        except InputError as error:
            raise InputError(f"{file} is no run file: {error}") from error
        manifest = folder / "manifest.json"
        names = [stage["name"] for stage in recipe["stages"]]
        logs = folder / "logs"
        return cls(
            folder,
            recipe,
            _manifest(manifest) if manifest.is_file() else {},
            {name: _lines(folder, logs / f"{name}.jsonl", _step) for name in names},
            {name: _lines(folder, logs / f"{name}.eval.jsonl", _measurement) for name in names},
        )


def _manifest(file: Path) -> dict[str, Any]:
    record = read_json(file)
    asked = {"versions": Mapping[str, str], "stages": list[dict[str, Any]]}
    if not isinstance(record, dict) or not all(key not in record or matches(record[key], asked[key]) for key in asked):
        raise InputError(f"{file} is no manifest of a run: it needs the mapping 'versions' and the list 'stages' of mappings")
    within = {"stage": str, "spec": Mapping[str, Any], "samples": int, "files": Mapping[str, Mapping[str, Any]]}
    for number, entry in enumerate(record.get("stages", [])):
        held = entry.get("unused_keys", {})
        if (
            "stage" not in entry
            or not all(key not in entry or matches(entry[key], hint) for key, hint in within.items())
            or not (isinstance(held, dict) and isinstance(held.get("keys", {}), dict))
        ):
            raise InputError(f"{file}: entry {number} of 'stages' is not what a run writes about a stage")
    return record


def _lines(folder: Path, path: Path, whole: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Whole lines; the last may be being written."""
    if not path.is_file():
        return []
    found = []
    with reading(str(path)):
        lines = kept(folder, path).read_text(encoding="utf-8").split("\n")[:-1]
    for number, text in enumerate(lines, 1):
        if not text:
            continue
        line = json_line(text, f"{path}: line {number}")
        if not isinstance(line, dict) or not whole(line):
            raise InputError(f"{path}: line {number} is not what a run writes there")
        found.append(line)
    return found


def _step(line: dict[str, Any]) -> bool:
    said = [line[key] for key in NUMBERS if line.get(key) is not None]
    return all(is_number(line.get(key)) for key in ("step", "steps", "loss")) and all(map(is_number, said))


def _measurement(line: dict[str, Any]) -> bool:
    values = line.get("values")
    if not isinstance(values, dict) or not all(map(is_number, values.values())) or not isinstance(line.get("name"), str):
        return False
    return is_number(line.get("step")) and is_number(line.get("n"))
