"""What is said of an answer that grows, which tokens are drawn, and what is kept within its bounds."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vistune.errors import InputError
from vistune.model.answering.running import Pairs
from vistune.model.answering.wording import Wording
from vistune.serving.engine.asking import Sampling
from vistune.serving.engine.choosing import Chooser, choose_all
from vistune.serving.engine.kept import Beginnings, Bounded

LETTERS = "ab #\n\ufffd"


def decode(ids: object) -> str:
    return "".join(LETTERS[number] for number in ids)  # type: ignore[attr-defined]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=14), st.lists(st.text("ab #", min_size=1, max_size=3), max_size=2))
def test_what_is_said_joined_is_the_whole_up_to_the_first_stop(ids: list[int], stops: list[str]) -> None:
    wording, said = Wording(decode, stops, said_early=True), ""
    for token in ids:
        said += wording.write(token)
        if wording.stopped:
            break
    whole, rest = wording.finish()
    text = decode(ids)
    cuts = [text.find(stop) for stop in stops if stop in text]
    assert said + rest == whole == text[: min(cuts, default=len(text))].strip()
    assert wording.stopped == bool(cuts)


def test_half_a_character_is_held_back() -> None:
    wording = Wording(decode, (), said_early=True)
    assert [wording.write(0), wording.write(5)] == ["a", ""]
    assert wording.finish()[0] == "a\ufffd"


def test_draws_follow_the_probabilities_and_top_p_cuts_them() -> None:
    likely = torch.tensor([0.5, 0.3, 0.15, 0.05])
    counts = torch.zeros(4)
    for seed in range(2000):
        counts[Chooser(Sampling(1.0, seed=seed)).choose(likely.log())[0]] += 1
    assert torch.allclose(counts / 2000, likely, atol=0.04)
    drawn = {Chooser(Sampling(1.0, 0.6, seed)).choose(likely.log())[0] for seed in range(200)}
    assert drawn == {0, 1}, "the smallest set of the likeliest tokens that holds 0.6"
    assert {Chooser(Sampling(2.0, 1e-9, seed)).choose(likely.log())[0] for seed in range(20)} == {0}
    cold = {Chooser(Sampling(0.01, seed=seed)).choose(likely.log())[0] for seed in range(50)}
    assert cold == {0}


def test_penalties_count_what_was_written_and_likelihoods_are_the_model_s() -> None:
    logits = torch.tensor([2.0, 1.5, 0.0])
    chooser = Chooser(Sampling(frequency_penalty=0.4, presence_penalty=0.2, logprobs=2))
    taken = [chooser.choose(logits) for _ in range(3)]
    assert [token for token, _ in taken] == [0, 1, 0], "2 - 0.6 = 1.4 < 1.5; then 1.5 - 0.6 < 1.4"
    for token, told in taken:
        assert told is not None and told[0] == pytest.approx(float(logits.double().log_softmax(0)[token]))
        assert [other for other, _ in told[1]] == [0, 1]


def test_a_row_of_nan_fails_alone() -> None:
    logits = torch.tensor([[0.0, 1.0], [float("nan"), 0.0]])
    choices = choose_all(logits, [Chooser(Sampling()), Chooser(Sampling())])
    assert choices[0] == (1, None) and isinstance(choices[1], InputError)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 60)), max_size=60))
def test_what_is_kept_never_takes_more_than_its_bound(puts: list[tuple[int, int]]) -> None:
    kept: Bounded[int, str] = Bounded(100)
    for key, size in puts:
        kept.put(key, str(key), size)
        assert kept.bytes <= 100
        assert kept.get(key) == str(key)


def test_beginnings_are_found_where_tokens_and_numbers_agree_and_go_when_there_are_many() -> None:
    beginnings = Beginnings(20_000)

    def pairs(length: int) -> Pairs:
        return [(torch.zeros(1, length, 4), torch.zeros(1, length, 4))]

    embeds = torch.arange(24.0).view(12, 2)
    beginnings.keep(list(range(12)), "g", embeds, pairs(12))
    asked = [*range(8), 90, 91]
    found = beginnings.find(asked, "g", embeds[:10])
    assert found is not None and found.length == 8
    assert beginnings.find(asked, "another", embeds[:10]) is None
    assert beginnings.find(asked, "g", embeds[:10] + 1) is None, "the same words about another picture"
    found = beginnings.find(list(range(12)), "g", embeds)
    assert found is not None and found.length == 11, "the last token is read again"
    for number in range(2000):
        beginnings.keep([number, *range(30)], number, torch.zeros(31, 2), pairs(31))
    assert beginnings.kept.bytes <= 20_000 and len(beginnings._groups) < 100
    assert beginnings.find(asked, "g", embeds[:10]) is None
