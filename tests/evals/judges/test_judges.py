"""What each judge reads, what it refuses to read, and the number it makes of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.construction.fake_endpoint import FakeEndpoint
from vistune.completer import Reply, Request
from vistune.construction.completers.endpoint import Endpoint
from vistune.construction.completers.scripted import Scripted
from vistune.errors import InputError
from vistune.evals.judges.base import Judge, judged, run, verdicts
from vistune.evals.judges.llava_bench import LlavaBench
from vistune.evals.judges.mm_vet import MmVet
from vistune.evals.judges.pairwise import Pairwise
from vistune.evals.judges.qa_match import QaMatch
from vistune.evals.judges.rating import Rating
from vistune.evals.judges.video_chatgpt import VideoChatgpt
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked
from vistune.evals.result import Result
from vistune.sample import Sample
from vistune.spec import kinds

GOOD_RATING = "helpfulness: 8\nrelevance: 9\naccuracy: 10\ndetail: 5\nexplanation: fine"


@pytest.mark.parametrize(
    ("judge", "text", "scores"),
    [
        (Rating(), GOOD_RATING, {"helpfulness": 8, "relevance": 9, "accuracy": 10, "detail": 5}),
        (Rating(), GOOD_RATING.upper().replace(": ", ":"), {"helpfulness": 8, "relevance": 9, "accuracy": 10, "detail": 5}),
        (Rating(), GOOD_RATING.replace("8", "11"), None),
        (Rating(), GOOD_RATING.replace("8", "0"), None),
        (Rating(), GOOD_RATING.replace("8", "8.5"), None),
        (Rating(), GOOD_RATING.replace("detail: 5\n", ""), None),
        (Rating(), GOOD_RATING + "\ndetail: 10", None),  # two numbers for one aspect: which?
        (Rating(), "I cannot rate this.", None),
        (LlavaBench(), "8 6\nThe first ...", {"first": 8, "second": 6}),
        (LlavaBench(), "8.0, 10\n", {"first": 8, "second": 10}),
        (LlavaBench(), "8", None),
        (LlavaBench(), "The scores are 8 6", None),
        (LlavaBench(), "8 60", None),
        (LlavaBench(), "", None),
        (MmVet(), "0.5", {"score": 0.5}),
        (MmVet(), " 1.0 |", {"score": 1.0}),
        (MmVet(), "1.5", None),
        (MmVet(), "nan", None),
        (MmVet(), "", None),
        (MmVet(), "half", None),
        (QaMatch(), "match: yes\nscore: 4", {"match": 1, "score": 4}),
        (QaMatch(), "**Match**: No\n**Score**: 0", {"match": 0, "score": 0}),
        (QaMatch(), "match: yes\nscore: 6", None),
        (QaMatch(), "yes, 4", None),
        (VideoChatgpt(), "Temporal: 3", {"temporal": 3}),
        (VideoChatgpt(), "temporal: 3.5", None),
        (Pairwise(()), "A is better.\nwinner: A", {"a": 1.0}),
        (Pairwise(()), "winner: tie", {"a": 0.5}),
        (Pairwise(()), "winner: C", None),
        (Pairwise(()), "**Winner:** B.\n", {"a": 0.0}),
        (Pairwise(()), "winner: a tie", None),  # asked again, not a win of A
        (Pairwise(()), "winner: A or B", None),
        (Pairwise(()), "winner: <A, B or tie>", None),
        (Pairwise(()), "winner: A\nwinner: B", None),
    ],
)
def test_parse(judge: Judge, text: str, scores: dict[str, float] | None) -> None:
    assert judge.parse(text) == scores


SAMPLES = [
    asked(
        f"q{number}",
        f"Question {number}?",
        answers=[f"truth {number}"],
        meta={"category": category, "context": f"context {number}", "capability": capability},
    )
    for number, (category, capability) in enumerate([("conv", ["ocr"]), ("detail", ["ocr", "rec"]), ("detail", ["rec"])])
]
ANSWERS = [Prediction(sample.id, f"answer {sample.id}") for sample in SAMPLES]


def ask(judge: Judge, reply: Callable[[Request], str], path: Path, samples: Any = SAMPLES, answers: Any = ANSWERS) -> Result:
    found = run(judge, samples, answers, Scripted(answer=reply), path)
    return judged(judge, samples, answers, found, path)


def text_of(request: Request) -> str:
    return request.messages[0].text


def test_every_judges_prompt_shows_question_answer_and_no_open_placeholder() -> None:
    found = [Rating(), LlavaBench(), MmVet(), QaMatch(), Pairwise(ANSWERS)]
    assert len(found) == len(kinds("vistune.evals.judges")) - 1  # VideoChatgpt has a test of its own
    for judge in found:
        for question in judge.ask(SAMPLES, ANSWERS):
            (index,) = question.items
            text = text_of(question.request)
            assert f"Question {index}?" in text and f"answer q{index}" in text and f"truth {index}" in text
            assert "{" not in text.replace("{braces}", "")


def test_braces_in_an_answer_are_text(tmp_path: Path) -> None:
    (question,) = MmVet().ask(SAMPLES[:1], [Prediction("q0", "a {question} in {braces}")])
    assert "a {question} in {braces}" in text_of(question.request)


def test_llava_bench_is_a_ratio_of_means_not_a_mean_of_ratios(tmp_path: Path) -> None:
    ratings = {"q0": "9 9", "q1": "8 4", "q2": "5 6"}
    result = ask(LlavaBench(), lambda request: ratings[request.id], tmp_path / "r.jsonl")
    assert result.values == {"relative": 86.4, "conv": 100.0, "detail": 76.9}  # 6.333 / 7.333, 9 / 9, 5 / 6.5
    assert result.notes == ("judged by scripted (3 replies)",)


def test_llava_bench_swapped_cancels_a_taste_for_the_first(tmp_path: Path) -> None:
    result = ask(LlavaBench(swap=True), lambda request: "9 3", tmp_path / "r.jsonl")
    assert result.headline == 100.0


def test_mm_vet_by_capability_and_combination(tmp_path: Path) -> None:
    grades = {"q0": "1.0", "q1": "0.5", "q2": "0.0"}
    result = ask(MmVet(), lambda request: grades[request.id], tmp_path / "r.jsonl")
    assert result.values == {"total": 50.0, "ocr": 75.0, "rec": 25.0}
    assert result.details["combinations"] == {"ocr": 100.0, "ocr+rec": 50.0, "rec": 0.0}


def test_rating_and_qa_match_means(tmp_path: Path) -> None:
    rating = ask(Rating(), lambda request: GOOD_RATING, tmp_path / "a.jsonl")
    assert (rating.headline, rating.values["detail"]) == (8.0, 5.0)
    match = ask(QaMatch(), lambda request: f"match: {'yes' if request.id == 'q0' else 'no'}\nscore: 3", tmp_path / "b.jsonl")
    assert match.values == {"accuracy": pytest.approx(100 / 3), "score": 3.0}


def test_pairwise_is_asked_in_both_orders_and_averaged(tmp_path: Path) -> None:
    rivals = [Prediction(sample.id, "rival") for sample in SAMPLES]
    first = ask(Pairwise(rivals), lambda request: "winner: A", tmp_path / "a.jsonl")
    assert first.values == {"wins": 50.0, "same in both orders": 0.0}

    def ours(request: Request) -> str:
        return "winner: B" if "Answer A:\nrival" in text_of(request) else "winner: A"

    best = ask(Pairwise(rivals), ours, tmp_path / "b.jsonl")
    assert best.values == {"wins": 100.0, "same in both orders": 100.0}
    lost = ask(Pairwise(rivals), ours, tmp_path / "c.jsonl", answers=[None, *ANSWERS[1:]])
    assert lost.headline == pytest.approx(200 / 3) and lost.missing == 1


def film(name: str, part: str, **meta: Any) -> Sample:
    return asked(name, f"What about {name}?", answers=[f"truth {name}"], meta={"part": part, **meta})


def test_video_chatgpt_grades_each_part_for_its_aspects(tmp_path: Path) -> None:
    samples = [
        film("g", "generic"),
        film("t", "temporal"),
        film("c1", "consistency", pair=0),
        film("c2", "consistency", pair=0),
    ]
    answers = [Prediction(sample.id, f"answer {sample.id}") for sample in samples]
    grades = {"correctness": 5, "detail": 4, "context": 3, "temporal": 2, "consistency": 1}

    def reply(request: Request) -> str:
        aspect = next(name for name in grades if f"{name}: <whole" in text_of(request))
        assert aspect != "consistency" or ("answer c1" in text_of(request) and "answer c2" in text_of(request))
        return f"{aspect}: {grades[aspect]}"

    result = ask(VideoChatgpt(), reply, tmp_path / "r.jsonl", samples, answers)
    assert result.values == {"mean": 3.0, **grades}
    assert result.items.tolist() == [4.0, 2.0, 1.0, 1.0]
    half = ask(VideoChatgpt(), reply, tmp_path / "r.jsonl", samples, [*answers[:3], None])
    assert half.values["consistency"] == 0.0 and half.missing == 1
    low, high = result.interval(resamples=50)
    assert 0 <= low <= high <= 5


@pytest.mark.parametrize("judge", [Rating(), LlavaBench(), MmVet(), QaMatch()])
def test_unreadable_replies_are_asked_again_then_counted(judge: Judge, tmp_path: Path) -> None:
    asked_for: list[Request] = []

    def refuse(request: Request) -> str:
        asked_for.append(request)
        return "As a language model I cannot grade this."

    with pytest.raises(InputError, match=r"none of the judge's \d replies"):
        ask(judge, refuse, tmp_path / "r.jsonl")
    result = judge.result(SAMPLES, ANSWERS, verdicts(judge, SAMPLES, ANSWERS, tmp_path / "r.jsonl"))
    assert result.unparsed == 3 and result.n == 3
    assert len(asked_for) == 3 * judge.attempts
    assert len({request.temperature for request in asked_for}) == judge.attempts
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 3 * judge.attempts, "every raw reply is kept"


def test_a_second_run_asks_nothing_and_a_changed_answer_asks_anew(tmp_path: Path) -> None:
    calls: list[str] = []

    def reply(request: Request) -> str:
        calls.append(request.id)
        return "1.0"

    ask(MmVet(), reply, tmp_path / "r.jsonl")
    ask(MmVet(), reply, tmp_path / "r.jsonl")
    assert calls == ["q0", "q1", "q2"]
    ask(MmVet(), reply, tmp_path / "r.jsonl", answers=[*ANSWERS[:2], Prediction("q2", "another answer")])
    assert calls[3:] == ["q2"]


def test_failed_requests_end_in_an_error_and_only_they_are_asked_again(tmp_path: Path) -> None:
    failing = Scripted(answer=lambda request: Reply("", error="timed out") if request.id == "q1" else Reply("1.0"))
    with pytest.raises(InputError, match=r"no reply to 1 of 3 questions \(sample 'q1': timed out\)"):
        run(MmVet(), SAMPLES, ANSWERS, failing, tmp_path / "r.jsonl")
    calls: list[str] = []
    run(MmVet(), SAMPLES, ANSWERS, Scripted(answer=lambda request: calls.append(request.id) or "1.0"), tmp_path / "r.jsonl")
    assert calls == ["q1"]


def test_replies_of_another_judge_model_are_not_taken_for_this_ones(tmp_path: Path) -> None:
    replies = tmp_path / "r.jsonl"
    with FakeEndpoint(text="1.0") as server:
        for name, count in (("first", 3), ("first", 3)):  # the second time nothing is left to ask
            with closing(Endpoint(server.url, name)) as judge:
                run(MmVet(), SAMPLES, ANSWERS, judge, replies)
            assert sum(server.sold.values()) == count
        with closing(Endpoint(server.url, "second")) as judge, pytest.raises(InputError, match=r"model first\).*model second"):
            run(MmVet(), SAMPLES, ANSWERS, judge, replies)


def test_scoring_from_replies_needs_every_one_of_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="judge's number"):
        verdicts(MmVet(), SAMPLES, ANSWERS, "")
    run(MmVet(), SAMPLES[:2], ANSWERS[:2], Scripted(answer=lambda request: "1.0"), tmp_path / "r.jsonl")
    with pytest.raises(InputError, match="has no reply to 1 question"):
        verdicts(MmVet(), SAMPLES, ANSWERS, tmp_path / "r.jsonl")


def test_llava_bench_swapped_leaves_out_a_question_with_one_readable_reply(tmp_path: Path) -> None:
    def reply(request: Request) -> str:
        if request.id != "q1":
            return "5 5"
        text = text_of(request)
        return "10 2" if text.index("answer q1") > text.index("truth 1") else "I cannot say."

    result = ask(LlavaBench(swap=True), reply, tmp_path / "r.jsonl")
    assert result.headline == 100.0 and result.unparsed == 1  # half of q1 would make it 73.3
