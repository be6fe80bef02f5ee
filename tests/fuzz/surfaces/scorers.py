"""Benchmarks: their annotations, and files of answers and results, with one field or some bytes changed.

What must hold: a score is a number or is said to be none, and as many samples are counted as were read.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

from tests.evals.test_benchmark_contract import CASES, FIXTURES
from tests.evals.test_benchmark_contract import Case as Like
from tests.fuzz.changes import dumps, json_text, raw, tree
from tests.fuzz.oracles import Case
from vistune.evals.prediction import read_predictions
from vistune.evals.score import BENCHMARKS, open_benchmark, read_answers, score_samples
from vistune.spec import kinds


class Surface:
    """Fixtures of all benchmarks, linked into the case's folder but for the damaged file."""

    def __init__(self, folder: Path) -> None:
        self._names = kinds(BENCHMARKS)

    def make(self, chance: random.Random, room: Path) -> Case:
        """A benchmark with one damaged file, or a damaged file of predictions."""
        if chance.random() < 0.1:
            return self._predictions(chance, room)
        name = chance.choice(self._names)
        like, place = CASES.get(name, Like()), room / name
        near = room.stat().st_dev == FIXTURES.stat().st_dev
        shutil.copytree(FIXTURES / name, place, copy_function=os.link if near else shutil.copy)
        file = chance.choice([path for path in sorted(place.rglob("*")) if path.is_file()])
        results = file.relative_to(place).parts[0].startswith("results")
        _spoil(file, chance)
        return Case("results" if results else "annotations", lambda: _check(name, like, place), inside=True)

    def _predictions(self, chance: random.Random, room: Path) -> Case:
        lines = [{"id": f"q{n}", "answer": "yes", "prompt": "p", "extras": {"a": 1}} for n in range(3)]
        lines[1] = tree(lines[1], chance)
        text = "".join(dumps(line) + "\n" for line in lines).encode()
        (room / "p.jsonl").write_bytes(raw(text, chance) if chance.random() < 0.2 else text)
        return Case("predictions", lambda: _predicted(room / "p.jsonl"))


def _spoil(file: Path, chance: random.Random) -> None:
    data = file.read_bytes()
    file.unlink()  # it may be a link to the fixture itself
    try:
        values = [json.loads(data)]
    except ValueError:
        try:
            values = [json.loads(line) for line in data.splitlines() if line.strip()]
        except ValueError:
            values = []
    if not values:
        file.write_bytes(raw(data, chance))
        return
    hurt = chance.randrange(len(values))
    lines = [json_text(value, chance) if number == hurt else dumps(value).encode() for number, value in enumerate(values)]
    file.write_bytes(b"\n".join(lines) + b"\n")


def _check(name: str, like: Like, place: Path) -> None:
    bench = open_benchmark({"kind": name, **dict(like.spec)})
    samples = bench.read(str(place / like.source))
    answers = read_answers(bench, next(iter(sorted(place.glob("results*")))), samples)
    if like.judge is None:
        json.dumps(score_samples(bench, samples, answers).to_json())


def _predicted(file: Path) -> None:
    for prediction in read_predictions(file):
        json.dumps(prediction.to_json(), ensure_ascii=False).encode()
