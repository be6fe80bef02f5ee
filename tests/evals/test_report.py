from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from vistune.commands.report import app
from vistune.errors import InputError
from vistune.evals.reports.gallery import worst
from vistune.evals.reports.plots import bars, radar
from vistune.evals.reports.report import collect, markdown, to_csv
from vistune.files import write_json, write_jsonl


def result(folder: Path, model: str, benchmark: str, value: float | None, **changes: Any) -> None:
    record = {
        "benchmark": benchmark,
        "model": model,
        "rule": "exact_match/gqa",
        "values": {"accuracy": value, "other": 1.5},
        "unit": "%",
        "interval": {"low": (value or 0) - 2, "high": (value or 0) + 2},
        "n": 100,
        "unparsed": 0,
        "missing": 0,
        "extra": 0,
    }
    write_json(folder / model / benchmark / "result.json", record | changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for model, values in {"small": (50.0, 61.25, 0.4), "large": (70.0, 61.25, 0.9)}.items():
        result(tmp_path, model, "gqa", values[0])
        result(tmp_path, model, "pope", values[1], unparsed=3)
        result(tmp_path, model, "nocaps", values[2], unit="", values={"CIDEr": values[2]}, rule="cider-d", interval=None)
    return tmp_path


def test_table_marks_the_best_and_counts_what_was_not_read(folder: Path) -> None:
    table = markdown(collect([folder]))
    assert "| model | gqa (accuracy, %) | nocaps (CIDEr) | pope (accuracy, %) |" in table
    assert "| large | **70.0 [68.0, 72.0]** | **0.900** | **61.2 [59.2, 63.2]** |" in table
    assert "| small | 50.0 [48.0, 52.0] | 0.400 | **61.2 [59.2, 63.2]** |" in table  # a tie has two best
    assert "- small on pope: 3 unparsed of 100 answers" in table


def test_lower_is_better_where_it_is(tmp_path: Path) -> None:
    for model, value in (("a", 20.0), ("b", 10.0)):
        result(tmp_path, model, "chair", value, values={"CHAIRs": value}, details={"lower_is_better": True})
    table = markdown(collect([tmp_path]))
    assert "chair (CHAIRs, %) ↓" in table and "| b | **10.0" in table


def test_csv_has_a_line_a_value(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(collect([folder])))))
    assert len(rows) == 2 * (2 + 2 + 1)
    assert rows[0] | {"model": "large", "benchmark": "gqa", "value": "70.0", "low": "68.0"} == rows[0]


def test_missing_measurements_are_a_dash(folder: Path) -> None:
    result(folder, "third", "gqa", None)
    assert "| third | - | - | - |" in markdown(collect([folder]))


def test_what_cannot_be_compared_is_refused(folder: Path, tmp_path: Path) -> None:
    result(folder / "again", "small", "gqa", 1.0)
    with pytest.raises(InputError, match="are both small on gqa"):
        collect([folder])
    result(tmp_path / "x", "a", "gqa", 1.0)
    result(tmp_path / "x", "b", "gqa", 1.0, rule="exact_match/lower")
    with pytest.raises(InputError, match="scored by different rules"):
        markdown(collect([tmp_path / "x"]))
    with pytest.raises(InputError, match=r"no result\.json"):
        collect([tmp_path / "nothing"])
    write_json(tmp_path / "y/result.json", {"values": {}})
    with pytest.raises(InputError, match="is not a result of"):
        collect([tmp_path / "y"])


def test_radar_needs_three_benchmarks_of_every_model(folder: Path) -> None:
    assert "<svg" in (radar(collect([folder])) or "")
    assert radar([entry for entry in collect([folder]) if entry.benchmark != "pope"]) is None
    assert bars(collect([folder])).startswith("<svg")


def test_page_holds_table_figures_and_the_worst_answers_and_nothing_from_elsewhere(folder: Path) -> None:
    Image.new("RGB", (600, 300), "red").save(folder / "red.png")
    items = [
        {"id": f"q{number}", "score": 10.0 * number, "prompt": "Colour?", "answer": "<script>", "expected": ["red"]}
        for number in range(5)
    ]
    items[0] |= {"images": [str(folder / "red.png")], "answer": None}
    items[1] |= {"images": [str(folder / "gone.png")]}
    write_jsonl(folder / "small/gqa/items.jsonl", items)
    done = CliRunner().invoke(app, [str(folder), "--out", str(folder / "out"), "--worst", "2"])
    assert done.exit_code == 0, done.output
    page = (folder / "out/report.html").read_text()
    assert page.count("<article>") == 2 and "q0: 0" in page and "q1: 10" in page and "q2" not in page
    assert "data:image/jpeg;base64," in page and "no prediction" in page and "cannot read" in page
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert 'src="http' not in page and 'href="http' not in page and page.count("<svg") == 2
    assert {"report.md", "report.csv", "report.html"} == {path.name for path in (folder / "out").iterdir()}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rule": None}, "the rule as text"),
        ({"values": {"accuracy": "high"}}, "its values are numbers"),
        ({"values": {"accuracy": 1.0}, "interval": [1, 2]}, "'list' object"),
        ({"values": {"accuracy": 1.0}, "details": [1]}, "'list' object"),
    ],
)
def test_a_file_that_is_no_result_is_named(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    result(tmp_path, "a", "gqa", 1.0, **changes)
    with pytest.raises(InputError, match=r"result\.json is not a result of `vistune eval`") as error:
        collect([tmp_path])
    assert said in str(error.value)


@pytest.mark.parametrize(("lower_is_better", "first"), [(False, ["a", "c"]), (True, ["b", "d"])])
def test_the_worst_answers_are_the_worst(tmp_path: Path, lower_is_better: bool, first: list[str]) -> None:
    result(tmp_path, "m", "chair", 50.0, details={"lower_is_better": lower_is_better})
    items = tmp_path / "m/chair/items.jsonl"
    write_jsonl(items, [{"id": name, "score": score} for name, score in zip("abcd", (0.0, 100.0, 0.0, 100.0), strict=True)])
    (entry,) = collect([tmp_path])
    assert [item["id"] for item in worst(entry, 2)] == first
    write_jsonl(items, [{"id": "a", "score": None}])
    with pytest.raises(InputError, match="'score', a number"):
        worst(entry, 2)
