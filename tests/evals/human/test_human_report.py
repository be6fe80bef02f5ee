from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vistune.commands.human import app
from vistune.errors import InputError
from vistune.evals.human import ratings
from vistune.evals.human.ratings import Rating
from vistune.evals.human.report import make_report, markdown
from vistune.evals.human.study import Study, Task

SCORES = {"alpha": {"ann": (5, 4, 5), "bo": (4, 4, 5)}, "beta": {"ann": (2, 3, 4), "bo": (1, 3, 4)}}


def filled(study: Study) -> list[Rating]:
    """Both raters rate every answer alike on all samples, and always prefer alpha, whichever side it is on."""
    made = []
    for rater, task in ((rater, task) for rater in ("ann", "bo") for task in study.tasks(rater)):
        sample = study.items[task.item].sample
        if task.ask == "rate":
            scores = dict(zip(study.criteria, SCORES[task.models[0]][rater], strict=True))
            made.append(Rating(rater, sample, task, scores))
        else:
            made.append(Rating(rater, sample, task, {}, "first" if task.models[0] == "alpha" else "second"))
    return made


def test_means_preferences_and_agreement(study: Study) -> None:
    report = make_report(study, filled(study))
    assert report.raters == {"ann": 9, "bo": 9}
    means = {model: [result.headline for result in row.values()] for model, row in report.scores.items()}
    assert means == {"alpha": [4.5, 4.0, 5.0], "beta": [1.5, 3.0, 4.0]}
    assert report.preferences["alpha", "beta"].values == {"preferred": 100.0, "wins": 6.0, "ties": 0.0, "losses": 0.0}
    assert report.alpha["coherence"] == report.alpha["fluency"] == 1.0
    assert 0 < report.alpha["relevance"] < 1


def test_interval_resamples_samples_not_ratings(study: Study) -> None:
    """Two raters of one sample are no two observations: with every sample alike the interval has no width."""
    result = make_report(study, filled(study)).scores["alpha"]["relevance"]
    assert result.n == 6 and result.interval() == (4.5, 4.5)


def test_a_tie_is_half_a_win(study: Study) -> None:
    task = Task("compare", 0, ("beta", "alpha"))
    made = [Rating("ann", "s0", task, {}, "tie"), Rating("bo", "s0", task, {}, "first")]
    assert make_report(study, made).preferences["alpha", "beta"].headline == 25.0


def test_command_prints_markdown_and_json(study: Study, tmp_path: Path) -> None:
    for rating in filled(study):
        ratings.append(tmp_path / "study", rating)
    shown = CliRunner().invoke(app, ["report", str(tmp_path / "study")])
    assert "| alpha | 6 | 4.50 [4.50, 4.50] |" in shown.output and "relevance 0." in shown.output
    as_json = CliRunner().invoke(app, ["report", str(tmp_path / "study"), "--json"])
    assert '"preferred": 100.0' in as_json.output


def test_no_ratings_is_an_error_and_models_without_any_show_a_dash(study: Study) -> None:
    with pytest.raises(InputError, match="nobody has rated"):
        make_report(study, [])
    only = [rating for rating in filled(study) if rating.task.models == ("alpha",)]
    assert "| beta | 0 | - | - | - |" in markdown(make_report(study, only))


def test_agreement_of_preferences_is_about_models_not_sides(study: Study) -> None:
    pairs = [("alpha", "beta"), ("beta", "alpha")]
    made = [
        Rating(
            rater,
            study.items[item].sample,
            Task("compare", item, pair),
            {},
            "first" if (pair[0] == "alpha") == (item > 0) else "second",
        )
        for (rater, pair), item in product(zip(("ann", "bo"), pairs, strict=True), range(3))
    ]
    assert make_report(study, made).alpha["preference"] == 1.0
