"""Run folders and folders of results that came from elsewhere, in the pages and the card made of them.

What must hold: a page is text that a file can keep, and holds no markup of the folder's.
"""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

from tests.fuzz.changes import dumps, json_text, raw
from tests.fuzz.oracles import Case, Changed
from vistune.commands.report import page
from vistune.evals.reports.report import collect, markdown, to_csv
from vistune.files import dump_yaml
from vistune.nano import nano
from vistune.recipe import load_recipe
from vistune.sharing.card import card
from vistune.training.report.page import html

_HOSTILE = "</td></style><script>alert(1)</script>"
_STEP = {"step": 1, "steps": 2, "loss": 2.5, "grad_norm": 1.0, "lr_factor": 0.5, "seconds": 0.3, "dropped_turns": 1}
_STEP |= {"dropped_media": 0, "tokens_per_second": 900.0, "loader_wait_percent": 2.0, "memory_mb": 700.0}
_MEASURED = {"name": "held", "step": 2, "n": 8, "values": {"loss": 2.0, "exact_match": 50.0}}
_STAGE = {"stage": "align", "spec": {"kind": "world", "task": "facts"}, "samples": 16, "files": {"a": {"sha256": "0" * 64}}}
_STAGE |= {"unused_keys": {"looked_at": 10, "keys": {"weight": 3}}, "media": {"count": 1, "marks": ""}}
_MANIFEST = {"versions": {"vistune": "0.1.0"}, "machine": "x86_64", "seed": 0, "stages": [_STAGE], "precision": "fp32"}
_RESULT = {"benchmark": "gqa", "model": f"m$_$ {_HOSTILE}", "rule": "gqa/official", "values": {"accuracy": 61.5}, "unit": "%"}
_RESULT |= {"interval": {"of": "accuracy", "level": 0.95, "low": 59.0, "high": 63.0}, "n": 3, "unparsed": 1, "missing": 0}
_RESULT |= {"extra": 0, "notes": ["x"], "details": {"guessed": 1}}
_ITEM = {"id": "1", "score": 0.0, "prompt": f"What? {_HOSTILE}", "answer": _HOSTILE, "expected": ["a"], "images": ["1.png"]}


class Surface:
    """A run of LLaVA on small backbones, and results of it on three benchmarks."""

    def __init__(self, folder: Path) -> None:
        self._run = nano(load_recipe("llava")).to_json()

    def make(self, chance: random.Random, room: Path) -> Case:
        """A folder with one damaged file."""
        if chance.random() < 0.4:
            return self._results(chance, room)
        run = room / "run"
        stage = self._run["stages"][0]["name"]
        values: dict[str, list[Any]] = {
            "run.yaml": [self._run],
            "manifest.json": [_MANIFEST],
            f"logs/{stage}.jsonl": [_STEP, _STEP | {"step": 2}],
            f"logs/{stage}.eval.jsonl": [_MEASURED, _MEASURED | {"step": 1}],
        }
        _write(run, values, chance)
        (run / stage).mkdir()
        (run / stage / "vistune.yaml").write_text(dump_yaml({"model": self._run["model"]}), encoding="utf-8")
        return Case("run", lambda: _pages(run, run / stage))

    def _results(self, chance: random.Random, room: Path) -> Case:
        values: dict[str, list[Any]] = {}
        for name in ("gqa", "pope", "mme"):
            values[f"{name}/result.json"] = [_RESULT | {"benchmark": name}]
            values[f"{name}/items.jsonl"] = [_ITEM, _ITEM | {"id": "2", "score": 100.0}]
        _write(room / "results", values, chance)
        return Case("results", lambda: _report(room / "results"))


def _write(folder: Path, files: dict[str, list[Any]], chance: random.Random) -> None:
    hurt = chance.choice(sorted(files))
    for name, values in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        lines = [dumps(value).encode() for value in values]
        if name == hurt:
            number = chance.randrange(len(lines))
            lines[number] = json_text(values[number], chance) if chance.random() < 0.8 else raw(lines[number], chance)
        (folder / name).write_bytes(b"\n".join(lines) + b"\n")


def _pages(run: Path, stage: Path) -> None:
    _text(html([run]))
    _text(html([run, run], 5))
    card(stage, True).encode()


def _report(folder: Path) -> None:
    _text(page([folder], 8))
    entries = collect([folder])
    (markdown(entries) + to_csv(entries)).encode()


def _text(made: str) -> None:
    made.encode()
    if re.search(r"<script|<img(?! alt=)", made):
        raise Changed("markup of a file stands in the page")
