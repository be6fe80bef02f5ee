"""`vistune score BENCH results --annotations fixture`, as typed, for every benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_benchmark_contract import CASES, FIXTURES, Case
from typer.testing import CliRunner

from vistune.cli import app
from vistune.errors import InputError
from vistune.evals.score import BENCHMARKS
from vistune.spec import kinds

NAMES = [name for name in kinds(BENCHMARKS) if CASES.get(name, Case()).judge is None]


def score(kind: str, predictions: Path) -> str:
    case = CASES.get(kind, Case())
    settings = [argument for key, value in case.spec for argument in ("--set", f"{key}={value}")]
    arguments = ["score", kind, str(predictions), "--annotations", str(FIXTURES / kind / case.source), *settings]
    done = CliRunner().invoke(app, arguments)
    if isinstance(done.exception, InputError):
        raise done.exception
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


@pytest.mark.parametrize("kind", NAMES)
def test_the_official_results_of_the_fixture_are_scored(kind: str) -> None:
    found = sorted((FIXTURES / kind).glob("results*"))
    assert found and all("95% interval" in score(kind, path) for path in found)


@pytest.mark.parametrize("kind", NAMES)
def test_half_a_character_in_an_id_is_a_sentence(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "half.jsonl"
    path.write_text('{"id": "\\ud800", "answer": "x"}\n{"id": "1", "answer": "yes"}\n')
    with pytest.raises(InputError, match="line 1: the text holds half of a surrogate pair"):
        score(kind, path)
