"""Filters that compare texts: guesses without the picture, duplicates, rewritten answers beside their originals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.construction.pipelines.models import always, kit, scripted
from tests.construction.test_operators import reasons, record
from vistune.completer import Reply
from vistune.construction.facts import Facts
from vistune.construction.operators.filters import (
    close_to,
    letter_of,
    near_duplicates,
    needs_picture,
    noted_answer,
    plain,
    unique,
)
from vistune.construction.pipeline import load
from vistune.construction.pipelines import pmc_vqa
from vistune.construction.record import Record, pairs_to_turns
from vistune.construction.running.runner import finished
from vistune.sample import Media

CHOICE = record("1", ("Which organ?", "B"), choices=("Liver", "Kidney", "Spleen", "Heart"))


def guessed(reply: Reply) -> Record:
    first, second = needs_picture(kit(always(reply)), pmc_vqa.BLIND)
    (made,) = second(first([CHOICE]))
    return made


@pytest.mark.parametrize(
    "reply",
    [
        Reply("I cannot tell without the figure."),
        Reply("I'm sorry, but I need to see the figure."),
        Reply(""),
        Reply("", finish="content_filter"),
        Reply("Ich sehe das Bild nicht und kann es daher nicht sagen, aber es ist wohl die Leber oder das Herz."),
        Reply("To answer this, one would have to look at", finish="length"),
        Reply("Here is my guess:"),
        Reply("A specialist would say so."),
        Reply("C"),
    ],
)
def test_a_guess_that_is_none_or_wrong_keeps_the_question(reply: Reply):
    made = guessed(reply)
    assert not made.reject
    assert made.turns == CHOICE.turns and len(made.exchanges) == 1


@pytest.mark.parametrize("reply", [Reply("B"), Reply("The answer is B because most cysts", finish="length")])
def test_a_right_guess_rejects_the_question(reply: Reply):
    assert guessed(reply).reject == "answerable without the picture"


def test_a_failed_endpoint_is_no_guess_and_earlier_rejects_stay():
    assert guessed(Reply("", error="status 500")).reason == "endpoint"
    first, second = needs_picture(kit(always(Reply("C"))), pmc_vqa.BLIND)
    failed = CHOICE.rejected("leak")
    assert [made.reject for made in second(first([failed, CHOICE, failed]))] == ["leak", "", "leak"]


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("C", "C"),
        ("C.", "C"),
        ("(C)", "C"),
        ("C: Spleen", "C"),
        ("**C**: Spleen", "C"),
        ("C) Spleen", "C"),
        ("Option C", "C"),
        ("The answer is C.", "C"),
        ("the correct ANSWER IS: (C) Spleen", "C"),
        ("Answer: C", "C"),
        ("**Answer:** C", "C"),
        ("C because of its place", "C"),
        ("A specialist would say C", None),
        ("Answer: A specialist knows.", None),
        ("The answer is a specialist's.", None),
        ("A, B or C", None),
        ("The answer is not C", None),
        ("Cysts", None),
        ("", None),
    ],
)
def test_letters_are_told_from_articles(text: str, letter: str | None):
    assert letter_of(text) == letter


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (("1-2?", "-1"), ("1+2?", "1"), False),
        (("What is x - y?", "A line."), ("What is x + y?", "A line."), False),
        (("How cold is it?", "-5"), ("How cold is it?", "5"), False),
        (("How much?", "1.5"), ("How much?", "15"), False),
        (("How much?", "5 %"), ("How much?", "5"), False),
        (("What is it", "a dog"), ("What is it a", "dog"), False),
        (("How cold is it?", "-5"), ("How cold is it?", "\u22125."), True),
        (("What is it?", "A well-lit **dog**."), ("what is IT", "a well lit dog"), True),
    ],
)
def test_signs_make_a_difference_and_punctuation_does_not(first: tuple[str, str], second: tuple[str, str], same: bool):
    expected = ["", "duplicate"] if same else ["", ""]
    assert reasons(unique(), record("1", first), record("1", second)) == expected


def test_a_text_of_signs_alone_stays_what_it_is():
    assert plain("?!") == "?!" and plain("What?!") == "what"


def test_near_duplicates_are_of_nearly_the_same_length():
    short, longer = "What is glaucoma?", "What is glaucoma and how is it treated in children?"
    nearly, other = "What is glaucoma, and how is it treated in a child?", "How are children kept from harm?"
    asked = [record(str(number), (text, "x")) for number, text in enumerate((short, longer, nearly, other, short))]
    assert reasons(near_duplicates(), *asked) == ["", "", "near duplicate", "", "near duplicate"]


def test_a_rewriting_keeps_the_words_of_its_original():
    def rewritten(old: str, new: str) -> list[str]:
        (noted,) = noted_answer()([record("1", ("Q?", old))])
        later = replace(noted, turns=pairs_to_turns([("Q?", new)]))
        return reasons(close_to(lambda made: made.notes["original"], 0.4), later)

    assert rewritten("blue", "The bus, as far as one can see, is blue.") == [""]
    assert rewritten("blue", "Nobody sits there.") == ["meaning lost"]
    assert rewritten("-1", "The result is 1.") == ["meaning lost"]


@pytest.mark.parametrize("name", ["pf_1m", "m3it"])
def test_an_answer_to_another_question_of_the_picture_has_lost_its_meaning(name: str):
    facts = Facts(qa=(("What colour is the bus?", "blue"), ("Which animal waits?", "dog")))
    asked = Record("1", (Media.file("image", "1.png"),), facts)
    reply = "Question:\nWhich?\n===\nAnswer:\nA dog waits there."
    made = finished(load(name), [asked], kit(scripted({"rewrite": reply, "expand": reply})))
    found = {item.notes["original"]: item.reason for item in made if item.task != "distort" and item.notes["original"]}
    assert found == {"blue": "meaning lost", "dog": ""}
