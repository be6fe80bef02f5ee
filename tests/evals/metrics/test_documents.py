"""ANLS and relaxed accuracy by hand."""

from __future__ import annotations

import pytest

from vistune.evals.metrics.anls import anls
from vistune.evals.metrics.relaxed_accuracy import relaxed_accuracy, relaxed_match


def test_anls_rules_differ_at_exactly_one_half() -> None:
    # 'ab' and 'ax' are one edit of two apart.
    assert anls(["ab"], [["ax"]]).headline == 0
    assert anls(["ab"], [["ax"]], "m4c").headline == 50


@pytest.mark.parametrize(
    ("answer", "accepted", "expected"),
    [
        ("Don't", ["Won't"], 80),
        ("ABC", ["abc", "x"], 100),
        ("", [""], 100),
        ("", ["a"], 0),
        (" a", ["a"], 0),
        ("x" * 10_000_000, ["x"], 0),
    ],
)
def test_anls_takes_the_best_reference(answer: str, accepted: list[str], expected: float) -> None:
    assert anls([answer], [accepted]).headline == pytest.approx(expected)


def test_m4c_strips() -> None:
    assert anls([" a "], [["a"]], "m4c").headline == 100


@pytest.mark.parametrize(
    ("answer", "target", "right"),
    [
        ("100%", "96%", True),
        ("100%", "94%", False),
        ("100%", "0.96", True),
        ("0.0", "0", False),  # a zero target needs exact text
        ("0", "0", True),
        ("105", "100", True),
        ("105.01", "100", False),
        ("-95", "-100", True),
        ("95", "-100", False),
        ("Yes", "yes", True),
        ("\u0661\u0660\u0660", "100", True),  # float() reads any decimal digits
        ("nan", "100", False),
        ("inf", "100", False),
        ("1,000", "1000", False),
        ("**100**", "100", False),
        ("%", "100", False),
        ("", "100", False),
    ],
)
def test_relaxed_match(answer: str, target: str, right: bool) -> None:
    assert relaxed_match(answer, target) is right


def test_missing_is_wrong() -> None:
    for metric in (anls, relaxed_accuracy):
        result = metric([None, "1"], [["1"], ["1"]])
        assert (result.headline, result.missing) == (50, 1)
