from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from vistune.cli import app
from vistune.errors import InputError
from vistune.evals.metrics.chair import chair
from vistune.evals.metrics.cider_d import cider_d
from vistune.evals.metrics.circular import circular
from vistune.evals.metrics.exact_match import exact_match
from vistune.evals.reports.compare import compare, exact_sign_test
from vistune.evals.result import Result


@pytest.mark.parametrize(("wins", "losses", "p"), [(0, 0, 1), (5, 5, 1), (10, 0, 2 / 1024), (1, 4, 12 / 32), (3, 0, 0.25)])
def test_exact_sign_test(wins: int, losses: int, p: float) -> None:
    assert exact_sign_test(wins, losses) == pytest.approx(p)
    assert exact_sign_test(losses, wins) == pytest.approx(p)


def test_large_counts_do_not_overflow() -> None:
    assert exact_sign_test(60_000, 40_000) < 1e-300 or exact_sign_test(60_000, 40_000) == 0
    assert 0.9 < exact_sign_test(50_000, 50_010) <= 1


def test_mcnemar_on_right_and_wrong() -> None:
    truth = [["a"]] * 100
    first, second = exact_match(["a"] * 80 + ["b"] * 20, truth), exact_match(["a"] * 50 + ["b"] * 50, truth)
    found = compare(first, second)
    assert (found.test, found.wins, found.losses, found.ties) == ("McNemar", 30, 0, 70)
    assert found.difference == 30
    assert found.interval[0] > 20
    assert found.bootstrap_p == pytest.approx(2 / 1001)
    assert found.test_p < 1e-8


def test_pairing_makes_equal_models_exactly_equal() -> None:
    truth = [["a"]] * 50
    same = exact_match(["a", "b"] * 25, truth)
    found = compare(same, same)
    assert found.interval == (0, 0)
    assert (found.bootstrap_p, found.test_p) == (1, 1)


def test_sign_test_where_items_have_degrees() -> None:
    references = [[f"a dog number {n}", f"the dog {n}"] for n in range(12)]
    first = cider_d([f"a dog number {n}" for n in range(12)], references)
    second = cider_d([f"a number {n}" for n in range(12)], references)
    found = compare(first, second)
    assert (found.test, found.wins) == ("sign", 12)
    assert found.difference == pytest.approx(first.headline - second.headline)


def test_different_rules_and_samples_are_refused() -> None:
    with pytest.raises(InputError, match="different rules"):
        compare(Result.mean("a", "x", [1.0]), Result.mean("b", "x", [1.0]))
    with pytest.raises(InputError, match="different samples"):
        compare(Result.mean("a", "x", [1.0]), Result.mean("a", "x", [1.0, 2.0]))


def test_command(tmp_path: Path) -> None:
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps({str(n): "yes" for n in range(20)}))
    files = []
    for name, right in (("one", 18), ("two", 9)):
        files.append(tmp_path / name)
        files[-1].write_text(json.dumps({str(n): "yes" if n < right else "no" for n in range(19 + (name == "one"))}))
    arguments = ["compare", "short_answers", *map(str, files), "--annotations", str(truth)]
    done = CliRunner().invoke(app, [*arguments, "--json"])
    record = json.loads(done.stdout)
    assert record["difference"] == pytest.approx(45)
    assert (record["wins"], record["losses"], record["ties"]) == (9, 0, 11)
    assert "1 missing" in CliRunner().invoke(app, arguments).stdout


def test_clusters_are_resampled_together() -> None:
    scores = np.tile([100.0, 0.0], 20)
    groups = np.repeat(np.arange(20), 2)
    first = Result.mean("r", "a", scores, clusters=groups)
    second = Result.mean("r", "a", 100 - scores, clusters=groups)
    assert compare(first, second).interval == (0, 0)  # every group holds a win and a loss


def test_rotations_of_a_question_are_one_trial() -> None:
    def solved(questions: list[int]) -> Result:
        return circular(Result.mean("mc", "accuracy", np.repeat(questions, 4) * 100.0), [i // 4 for i in range(24)])

    found = compare(solved([1, 1, 1, 1, 1, 0]), solved([0, 0, 0, 0, 0, 1]))
    assert (found.test, found.wins, found.losses, found.ties) == ("McNemar", 5, 1, 0)
    assert found.test_p == pytest.approx(14 / 64)  # of 24 passes it would be .0015


def test_equal_sums_in_another_order_are_a_tie() -> None:
    groups = np.zeros(3, dtype=np.int64)
    first, second = (Result.mean("r", "a", items, clusters=groups) for items in ([0.1, 0.2, 0.3], [0.3, 0.2, 0.1]))
    found = compare(first, second)
    assert (found.wins, found.losses, found.ties) == (0, 0, 1)


def test_won_means_better_where_lower_is_better() -> None:
    present = [frozenset({"dog"})] * 3
    good, bad = (chair([text] * 3, present, {"dog": "dog", "cat": "cat"}, rule="words") for text in ("a dog", "a cat"))
    assert good.headline < bad.headline
    found = compare(good, bad)
    assert (found.wins, found.losses) == (3, 0)
