"""The page in a real browser: blind, by keyboard alone, saved at once, resumed where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vistune.evals.human import ratings
from vistune.evals.human.server import RatingServer
from vistune.evals.human.study import Study

ENTER, LEFT, UP = "\ue007", "\ue012", "\ue013"


def begin(browser: Any, server: RatingServer, rater: str) -> None:
    browser.open(server.url)
    browser.run("document.getElementById('name').value = ''")
    browser.click("#name")
    browser.press(rater + ENTER)
    browser.wait("!document.getElementById('task').hidden || !document.getElementById('end').hidden")


def rate_all(browser: Any, study: Study, start: int) -> None:
    """Rate what is left with 4 5 3 for every answer and B for every pair."""
    total = len(study.tasks("ann"))
    for number in range(start, total):
        browser.wait(f"document.getElementById('state').innerText.startsWith('Task {number + 1} of')")
        browser.press(("B" if browser.run("return task.ask === 'compare'") else "453") + ENTER)
    browser.wait("!document.getElementById('end').hidden")


def test_rate_stop_and_resume_by_keyboard(browser: Any, server: RatingServer, study: Study, tmp_path: Path) -> None:
    begin(browser, server, "ann")
    seen = browser.text("body")
    assert not any(model in seen for model in study.models), "model names are hidden"
    assert "What is in [1]?" in seen and "the reference answer" not in seen
    assert browser.run("return document.querySelector('.region').offsetWidth / document.querySelector('img').offsetWidth > 0.4")

    compare = study.tasks("ann")[0].ask == "compare"
    browser.press(("A" if compare else "123") + ENTER)
    browser.wait("document.getElementById('state').innerText.startsWith('Task 2')")
    assert len(ratings.read(tmp_path / "study", study, "ann")) == 1

    begin(browser, server, "ann")  # a reload: goes on at the second task
    assert browser.text("#state").startswith("Task 2 of 9")
    rate_all(browser, study, 1)

    done = ratings.read(tmp_path / "study", study, "ann")
    assert list(done) == study.tasks("ann")
    later = [done[task] for task in study.tasks("ann")[1:]]
    assert all(rating.scores == {"relevance": 4, "coherence": 5, "fluency": 3} for rating in later if rating.task.ask == "rate")
    assert all(rating.preference == "second" for rating in later if rating.task.ask == "compare")
    assert browser.complaints() == []


def test_go_back_and_change_a_rating(browser: Any, server: RatingServer, study: Study, tmp_path: Path) -> None:
    begin(browser, server, "bo")
    first = study.tasks("bo")[0]
    keys, changed = ("A", "T") if first.ask == "compare" else ("111", UP * 3 + "555")
    browser.press(keys + ENTER)
    browser.wait("document.getElementById('state').innerText.startsWith('Task 2')")
    browser.press(LEFT)
    browser.wait("document.getElementById('state').innerText.includes('rated before')")
    browser.press(changed + ENTER)
    browser.wait("document.getElementById('state').innerText.startsWith('Task 2')")
    rating = ratings.read(tmp_path / "study", study, "bo")[first]
    assert rating.preference == "tie" or set(rating.scores.values()) == {5}
    assert len((tmp_path / "study/ratings/bo.jsonl").read_text().splitlines()) == 2, "the file is append-only"


def test_answers_are_text_not_markup_and_a_wrong_name_is_said(browser: Any, server: RatingServer, study: Study) -> None:
    begin(browser, server, "cy")
    number = next(n for n, task in enumerate(study.tasks("cy")) if task.item == 1 and "alpha" in task.models)
    browser.run(f"open({number})")
    browser.wait(f"document.getElementById('state').innerText.startsWith('Task {number + 1} ')")
    assert "<b>Two</b> circles & a line." in browser.text("#answers")
    browser.run("act(() => begin('../x'))")
    browser.wait("!document.getElementById('error').hidden")
    assert "rater name" in browser.text("#error")
