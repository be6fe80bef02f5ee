from __future__ import annotations

import pytest

from vistune.errors import InputError
from vistune.evals.metrics.vqa_accuracy import vqa_accuracy
from vistune.evals.metrics.vqa_text import CONTRACTIONS, normalize_m4c, normalize_vqa


@pytest.mark.parametrize(("matches", "expected"), [(0, 0), (1, 30), (2, 60), (3, 90), (4, 100), (10, 100)])
def test_soft_accuracy_leaves_each_annotator_out_once(matches: int, expected: float) -> None:
    annotators = ["cat"] * matches + [f"other {i}" for i in range(10 - matches)]
    assert vqa_accuracy(["cat"], [annotators]).headline == pytest.approx(expected)


# One answer per line: prediction, annotators, accuracy under m4c, official, lavis, openflamingo.
@pytest.mark.parametrize(
    ("answer", "annotators", "expected"),
    [
        ("Cat", ["cat"] * 10, (100, 0, 100, 100)),  # official leaves unanimous items as they are
        ("cat", ["Cat"] * 10, (100, 0, 0, 100)),  # lavis leaves unanimous annotators as they are
        ("cat", ["Cat"] * 9 + ["dog"], (100, 100, 0, 100)),  # lavis never lower-cases annotators
        ("two", ["2"] * 9 + ["dog"], (100, 100, 100, 100)),
        ("bob's", ["bob 's"] * 9 + ["bob"], (100, 0, 0, 0)),  # only m4c sets the possessive apart
        ("1,000", ["1000"] * 9 + ["x"], (100, 100, 100, 100)),
    ],
)
def test_variants_differ_where_they_should(answer: str, annotators: list[str], expected: tuple[float, ...]) -> None:
    rules = ("m4c", "official", "lavis", "openflamingo")
    assert tuple(vqa_accuracy([answer], [annotators], rule).headline for rule in rules) == expected


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The  two dogs.", "2 dogs"),
        ("dont", "don't"),
        ("x-y", "x y"),  # touches no space: becomes one
        ("x-y -z", "xy z"),  # one touches a space: all deleted
        ("3.5", "3.5"),
        (".", ""),
        ("\u0663,\u0664", "\u0663\u0664"),  # Arabic-Indic digits are digits to the official patterns too
        ("", ""),
    ],
)
def test_normalisation(text: str, normal: str) -> None:
    assert normalize_vqa(text) == normal


def test_at_most_32_full_stops_go() -> None:
    assert normalize_vqa("." * 40) == "." * 8


def test_contractions_follow_their_rule_and_the_one_reversed_entry() -> None:
    assert CONTRACTIONS["couldnt've"] == CONTRACTIONS["couldn'tve"] == "couldn't've"
    assert CONTRACTIONS["twas"] == "'twas"
    assert CONTRACTIONS["somebody'd"] == "somebodyd"
    assert "couldntve" not in CONTRACTIONS


def test_missing_is_wrong_and_counted() -> None:
    result = vqa_accuracy(["cat", None], [["cat"] * 10, ["cat"] * 10])
    assert (result.headline, result.missing, result.n) == (50, 1, 2)
    assert result.rule == "vqa/m4c"


def test_ten_megabyte_answer_is_just_wrong() -> None:
    assert vqa_accuracy(["ab, " * 2_500_000], [["cat"] * 10]).headline == 0


def test_refusals() -> None:
    with pytest.raises(InputError, match="no rule 'm4'"):
        vqa_accuracy([], [], "m4")
    with pytest.raises(InputError, match="item 0 has 1, at least 2"):
        vqa_accuracy(["x"], [["x"]])
    with pytest.raises(InputError, match="1 predictions for 2 references"):
        vqa_accuracy(["x"], [["x"] * 10] * 2)


def test_normalize_m4c_keeps_unicode_digits_it_does_not_know() -> None:
    assert normalize_m4c("\u4e00, yes?") == "\u4e00 yes"
