"""What `vistune benchmarks` tells is true: its page is up to date, and every example is read by `vistune score`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from test_benchmark_contract import CASES, FIXTURES, Case
from typer.testing import CliRunner

from vistune.cli import app
from vistune.evals.listing import Listed, listing, published_rows
from vistune.evals.reports.benchmark_pages import UNHELD, page, pages
from vistune.evals.score import open_benchmark, read_answers, score, score_judgements

DOCS = Path(__file__).parents[2] / "docs/benchmarks.md"
FOLDER = "lines of "
SETTING = re.compile(r"--set (\w+)=(\w+)")
EXAMPLES = [pytest.param(item, form, id=f"{item.name}-{form}") for item in listing() for form in item.examples]


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def test_the_page_is_up_to_date() -> None:
    assert DOCS.read_text(encoding="utf-8") == pages(listing()), "run: vistune benchmarks --to docs/benchmarks.md"


@pytest.mark.parametrize("item", listing(), ids=lambda item: item.name)
def test_every_benchmark_says_what_it_is_and_what_holds_it(item: Listed) -> None:
    assert item.about.endswith((".", ")", "?")) and "  " not in item.about
    assert "annotations" in item.files and item.ids and item.examples
    told = page(item)
    assert all(example.splitlines()[0] in told for example in item.examples.values())
    held = [row for row in published_rows() if row["benchmark"] == item.name]
    assert all(f"{name} {value}" in told for row in held for name, value in row["expected"].items())
    assert (UNHELD in told) == (not held)


def test_one_benchmark_is_told_by_the_command() -> None:
    assert run("benchmarks", "chair") == page(next(item for item in listing() if item.name == "chair"))
    assert json.loads(run("benchmarks", "chair", "--json"))["choices"]["rule"] == ["official", "words"]


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    run("benchmarks", "--to", str(tmp_path / "page.md"))
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize(("item", "form"), EXAMPLES)
def test_every_example_is_read_and_belongs_to_its_fixture(item: Listed, form: str, tmp_path: Path) -> None:
    case, place = CASES.get(item.name, Case()), tmp_path / "given.txt"
    if form.startswith(FOLDER):
        place = tmp_path / "results"
        place.mkdir()
        (place / form.removeprefix(FOLDER).split()[0]).write_text(item.examples[form], encoding="utf-8")
    else:
        place.write_text(item.examples[form], encoding="utf-8")
    source = str(FIXTURES / item.name / case.source)
    spec = {"kind": item.name, **dict(case.spec), **dict(SETTING.findall(form))}
    samples = open_benchmark(spec).read(source)
    found = read_answers(open_benchmark(spec), place, samples).predictions
    assert found and {prediction.id for prediction in found} <= {sample.id for sample in samples}
    if "judgement" in found[0].extras:
        assert score_judgements(spec, [place], source).missing < len(samples)
    elif case.judge is None:
        assert score(spec, place, source).missing < len(samples)
