"""Every command of docs/scoring.md and docs/human_evaluation.md runs, in a folder laid out as they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from vistune.cli import app
from vistune.evals.human import ratings
from vistune.evals.human.study import make_study
from vistune.evals.reading.annotations import asked
from vistune.files import write_jsonl
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import save

ROOT = Path(__file__).parents[2]
FIXTURES = Path(__file__).parent / "fixtures"
BLOCK = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    return [line for block in BLOCK.findall((ROOT / "docs" / page).read_text()) for line in block.splitlines() if line]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_spec: dict[str, Any]) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(FIXTURES)
    write_jsonl("predictions.jsonl", [{"id": "201307251", "answer": "no"}])
    write_jsonl("samples_gqa.jsonl", [{"doc_id": 0, "doc": {"id": "201307251"}, "resps": [["no"]]}] * 1)
    (tmp_path / "model_MMBench.tsv").write_text("index\tprediction\n241\tB\n")
    (tmp_path / "results.json").write_bytes((FIXTURES / "mm_bench/results.json").read_bytes())
    (tmp_path / "answers.json").write_bytes((FIXTURES / "mm_vet/results.json").read_bytes())
    write_jsonl("script.jsonl", ["0.5", "1.0"])
    torch.manual_seed(0)
    model = VisionLanguageModel(ModelSpec.from_json({**tiny_spec, "max_length": 512}))
    save(model, tmp_path / "runs/model", {"connector"})
    return tmp_path


def run(command: str) -> str:
    command = command.replace("endpoint:https://host/v1?model=NAME", "scripted:script.jsonl")
    program, *arguments = shlex.split(command)
    done = CliRunner().invoke(app, arguments)
    assert program == "vistune" and done.exit_code == 0, (command, done.output, done.exception)
    return done.output


@pytest.mark.slow
def test_scoring_page(folder: Path) -> None:
    given = commands("scoring.md")
    said = [run(command) for command in given]
    assert len(given) == 10 and all(said)
    assert "total" in said[-2] and (folder / "runs/report/report.html").exists()


def test_human_evaluation_page(folder: Path) -> None:
    serve, report = commands("human_evaluation.md")
    assert serve.startswith("vistune human serve ")  # runs until stopped: test_serve.py starts and stops it
    study = make_study([asked("s", "What?")], {"small": {"s": "A cat."}}, folder / "study")
    task = study.tasks("ann")[0]
    ratings.append(folder / "study", ratings.check(study, "ann", task, dict.fromkeys(study.criteria, 4)))
    assert "| small | 1 | 4.00" in run(report)
