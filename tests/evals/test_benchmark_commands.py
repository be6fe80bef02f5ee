"""`vistune eval`, `judge` and `import-predictions`, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vistune.commands.benchmark import app
from vistune.commands.report import app as report_app
from vistune.errors import InputError
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


def test_judge_asks_keeps_and_prints(tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    write_jsonl(script, ["1.0", "0.5"])
    bench, replies = FIXTURES / "mm_vet", tmp_path / "replies.jsonl"
    common = ("judge", "mm_vet", "mm_vet", bench / "results.json", "--annotations", bench, "--out", replies)
    shown = run(*common, "--completer", f"scripted:{script}")
    assert "total                   75.00" in shown and "judged by scripted (2 replies)" in shown
    again = json.loads(run(*common, "--completer", f"scripted:{script}", "--json"))
    assert again["values"]["total"] == 75.0 and len(replies.read_text().splitlines()) == 2


def test_pairwise_ranks_models(tmp_path: Path) -> None:
    bench = FIXTURES / "llava_bench_coco"
    for name in ("one", "two"):
        write_jsonl(tmp_path / f"{name}.jsonl", [{"id": str(number), "answer": f"{name} {number}"} for number in range(2)])
    write_jsonl(tmp_path / "script.jsonl", ["winner: A", "winner: B"] * 2)  # `one` wins in either order
    shown = run(
        *("judge", "pairwise", "llava_bench_coco", tmp_path / "one.jsonl", tmp_path / "two.jsonl"),
        *(
            "--annotations",
            bench,
            "--completer",
            f"scripted:{tmp_path / 'script.jsonl'}",
            "--out",
            tmp_path / "r.jsonl",
            "--json",
        ),
    )
    standings = json.loads(shown)
    assert [standing["model"] for standing in standings] == ["one", "two"] and standings[0]["matches"] == 2


def test_import_predictions(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "s.jsonl", [{"doc_id": number, "resps": [["yes"]]} for number in range(2)])
    assert "2 predictions in" in run("import-predictions", tmp_path / "s.jsonl", "--out", tmp_path / "p.jsonl")
    assert json.loads((tmp_path / "p.jsonl").read_text().splitlines()[1])["id"] == "1"


def test_judge_refuses_answers_to_other_questions_and_settings_it_lacks(tmp_path: Path) -> None:
    bench = FIXTURES / "mm_vet"
    write_jsonl(tmp_path / "script.jsonl", ["1.0"])
    tail = ("--annotations", bench, "--completer", f"scripted:{tmp_path / 'script.jsonl'}", "--out", tmp_path / "r.jsonl")
    write_jsonl(tmp_path / "other.jsonl", [{"id": "zzz", "answer": "yes"}])
    with pytest.raises(InputError, match="no prediction belongs to any sample"):
        run("judge", "mm_vet", "mm_vet", tmp_path / "other.jsonl", *tail)
    for name in ("one", "two"):
        write_jsonl(tmp_path / f"{name}.jsonl", [{"id": "v1_0", "answer": name}])
    with pytest.raises(InputError, match="has no setting 'show_image'"):
        run("judge", "pairwise", "mm_vet", tmp_path / "one.jsonl", tmp_path / "two.jsonl", *tail, "--set", "show_image=true")
