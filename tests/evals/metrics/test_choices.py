"""ScienceQA, MMMU and MathVista: reading options, letters and numbers out of replies."""

from __future__ import annotations

import pytest

from vistune.errors import InputError
from vistune.evals.metrics.math_vista import Problem, math_vista
from vistune.evals.metrics.mmmu import Question, mmmu, open_match, parse_choice
from vistune.evals.metrics.science_qa import parse_option, science_qa

OPTIONS = ("a red cat", "a blue dog", "two birds", "none of these")


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("B", "B"),
        (" B\n", "B"),
        ("B. because", "B"),
        ("The answer is B.", "B"),
        ("The answer is B. The answer is C.", None),  # two conclusions are none
        ("The answer is B", None),
        ("B) because", None),
        ("**B**", None),
        ("b", None),
        ("E", None),  # the question has four options
        ("Yes, no", None),
        ("", None),
        ("\uff22", None),
        ("A B C D", None),
        ("word " * 2_000_000, None),
    ],
)
def test_science_qa_reads_llavas_forms_only(reply: str, letter: str | None) -> None:
    assert parse_option(reply, 4) == letter


def test_science_qa_groups_and_counts() -> None:
    result = science_qa(["A", "?", None], ["A", "A", "A"], [2, 2, 2], [["TXT"], ["IMG"], ["IMG", "TXT"]])
    assert dict(result.values) == pytest.approx({"Avg": 100 / 3, "TXT": 50, "IMG": 0})
    assert (result.unparsed, result.missing) == (1, 1)


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("(C)", "C"),
        ("(A) no, (C)", "C"),  # the last of several
        ("(A), not B ", "A"),  # brackets before free letters
        ("I say B here", "B"),
        ("B, no A then", "A"),
        ("B.", "B"),
        ("it shows a blue dog on grass", "B"),
        ("blue dog it is", None),  # text counts only in replies of more than five words
        ("a blue dog", None),
        ("", None),
        ("**B**", None),
        ("ABCD", None),
    ],
)
def test_mmmu_parses_choices(reply: str, letter: str | None) -> None:
    assert parse_choice(reply, OPTIONS) == letter


@pytest.mark.parametrize(
    ("reply", "answer", "right"),
    [
        ("The result is 1,234.567", "1234.57", True),
        ("so x = 3.0", "3", True),
        ("It is 1e3", "1000", True),
        ("it is a whale", "Whale", True),
        ("42", "2", False),
        ("the answer is x", "x", True),
        ("the answer is taxi", "x", False),  # one letter matches only beside a space
        ("", "x", False),
        ("nan", "0", False),
        ("\u0664", "4", True),
    ],
)
def test_mmmu_open_answers(reply: str, answer: str, right: bool) -> None:
    assert open_match(reply, [answer]) is right


def test_mmmu_rules_treat_the_unreadable_differently() -> None:
    questions = [Question(("A",), True, OPTIONS)] * 400
    strict, random = mmmu(["?"] * 400, questions), mmmu(["?"] * 400, questions, "official-random")
    assert (strict.headline, strict.unparsed) == (0, 400)
    assert random.headline == pytest.approx(0.25, abs=0.07)
    assert random.unparsed == 400
    assert mmmu(["?"] * 400, questions, "official-random").headline == random.headline
    assert mmmu(["A", "(A)", None], questions[:3], "eval-only").items.tolist() == [1, 0, 0]


def test_mmmu_needs_options_to_parse_and_a_known_rule() -> None:
    with pytest.raises(InputError, match="question 1: its options are not known"):
        mmmu(["A"], [Question(("A",), True)])
    with pytest.raises(InputError, match="no rule 'loose'"):
        mmmu([], [], "loose")  # type: ignore[arg-type]


CHOICES = ("135", "140", "145")


@pytest.mark.parametrize(
    ("extraction", "problem", "official", "strict"),
    [
        ("(b) 1", Problem("140", "text", CHOICES), 100, 100),
        ("B", Problem("140", "text", CHOICES), 100, 100),
        ("140", Problem("140", "text", CHOICES), 100, 100),
        ("14", Problem("140", "text", CHOICES), 100, 0),  # nearest by edit distance
        ("", Problem("135", "text", CHOICES), 100, 0),  # even nothing is nearest to something
        ("D", Problem("135", "text", CHOICES), 100, 0),
        ("3.9", Problem("3", "integer"), 100, 100),  # int() truncates
        ("1e400", Problem("3", "integer"), 0, 0),
        ("nan", Problem("3", "integer"), 0, 0),
        ("1.25", Problem("1.2", "float", (), 1), 100, 100),
        ("[1, 2]", Problem("[1, 2]", "list"), 100, 100),
        ("three", Problem("3", "integer"), 0, 0),
        ("\u0663", Problem("3", "integer"), 100, 100),
    ],
)
def test_math_vista_rules(extraction: str, problem: Problem, official: float, strict: float) -> None:
    assert math_vista([extraction], [problem]).headline == official
    assert math_vista([extraction], [problem], "strict").headline == strict


def test_math_vista_counts_what_it_cannot_read() -> None:
    result = math_vista(["three", None], [Problem("3", "integer")] * 2)
    assert (result.unparsed, result.missing) == (1, 1)
