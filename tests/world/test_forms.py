"""Questions in the field's forms: what is asked for is what is answered, and nothing else of the question changes."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from vistune.sample import MediaRef, Region, Sample, Text, Turn
from vistune.world.forms import FORMS, Form, in_form
from vistune.world.instructions import conversation_sample, question_sample
from vistune.world.senses import sense_conversation


def pairs(sample: Sample) -> list[tuple[Turn, Turn]]:
    return list(zip(sample.turns[::2], sample.turns[1::2], strict=True))


def formed(form: Form) -> list[tuple[Turn, Turn, Turn, Turn]]:
    samples = [conversation_sample(seed, "train", 6) for seed in range(40)]
    samples += [sense_conversation(sense, seed, "train", 6) for sense in ("sounds", "solids") for seed in range(20)]
    rng = np.random.default_rng(0)
    found = [(question, answer, in_form(question, answer, form, rng)) for one in samples for question, answer in pairs(one)]
    return [(question, answer, *made) for question, answer, made in found if made is not None]


def test_a_word_and_yes_or_no_keep_the_answer() -> None:
    words, closed = formed("word"), formed("yes_no")
    assert len(words) > 100 and len(closed) > 30
    assert all(answer == said for _, answer, _, said in (*words, *closed))
    assert all(
        question.text in asked.text and asked.text.count("\n") > question.text.count("\n") for question, _, asked, _ in words
    )
    assert {answer.text for _, answer, _, _ in closed} == {"yes", "no"}
    assert max(len(answer.text.split()) for _, answer, _, _ in words) <= 2


def test_the_letter_is_that_of_the_right_option_and_no_letter_is_likelier() -> None:
    letters: Counter[str] = Counter()
    for question, answer, asked, said in formed("letter"):
        options = dict(re.findall(r"^([A-D])\. (.+)$", asked.text, re.MULTILINE))
        assert options[said.text] == answer.text and len(set(options.values())) == len(options) >= 2
        assert asked.text.startswith(question.text)
        letters[f"{said.text} of {len(options)}"] += 1
    two = letters["A of 2"], letters["B of 2"]
    assert min(two) > 0.3 * sum(two) and set(letters) >= {"A of 4", "D of 4"}


def test_a_box_is_asked_for_in_llavas_words_with_the_picture_in_front() -> None:
    sample = question_sample("refer_box", 0, "train")
    question, answer = sample.turns
    region = answer.parts[0]
    assert isinstance(region, Region) and region.label
    asked = [in_form(question, answer, "box", np.random.default_rng(seed)) for seed in range(20)]
    texts = [made[0].text for made in asked if made is not None]
    assert any(
        text.startswith("\nPlease provide the bounding box coordinate") and text.endswith(region.label) for text in texts
    )
    assert all(made is not None and made[1] == answer and made[0].parts[0] == MediaRef(0) for made in asked)


@pytest.mark.parametrize("form", FORMS)
def test_what_does_not_lend_itself_is_left_alone(form: Form) -> None:
    question = Turn("user", (MediaRef(0), Text("\nDescribe the picture.")))
    answer = Turn("assistant", (Text("a red seven, a blue circle and a green two"),))
    assert in_form(question, answer, form, np.random.default_rng(0)) is None
