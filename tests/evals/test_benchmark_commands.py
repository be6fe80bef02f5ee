"""`vistune eval`, `judge` and `import-predictions`, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vistune.commands.benchmark import app
from vistune.commands.report import app as report_app
from vistune.files import write_jsonl

FIXTURES = Path(__file__).parent / "fixtures"
MODEL = """
class Yes:
    identity = "always-yes"

    def rendered(self, sample):
        return sample.turns[-1].text

    def generate(self, samples, **arguments):
        assert arguments == {"max_new_tokens": 128}
        return ["yes"] * len(samples)
"""


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_eval_a_model_of_ones_own_then_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_model.py").write_text(MODEL)
    monkeypatch.syspath_prepend(tmp_path)
    out = tmp_path / "out"
    shown = run("eval", "own_model:Yes", "--bench", "tab_fact,mm_star", "--data", FIXTURES, "--out", out)
    assert "tab_fact: accuracy 50.00 [0.00, 100.00] % (n 2, exact_match/gqa)" in shown
    table = CliRunner().invoke(report_app, [str(out)]).output
    assert "| always-yes | 0.0 [0.0, 0.0] | 50.0 [0.0, 100.0] |" in table


def test_import_predictions(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "s.jsonl", [{"doc_id": number, "resps": [["yes"]]} for number in range(2)])
    assert "2 predictions in" in run("import-predictions", tmp_path / "s.jsonl", "--out", tmp_path / "p.jsonl")
    assert json.loads((tmp_path / "p.jsonl").read_text().splitlines()[1])["id"] == "1"
