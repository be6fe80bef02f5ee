from __future__ import annotations

import pytest

from vistune.errors import InputError
from vistune.evals.metrics.exact_match import exact_match


@pytest.mark.parametrize(
    ("rule", "answer", "expected"),
    [
        ("raw", "Yes ", 0),
        ("strip", "Yes ", 0),
        ("lower", " Yes ", 100),
        ("lower", "Yes.", 0),
        ("gqa", "Yes.", 100),
        ("vqa", "The yes.", 100),
        ("lower", "**yes**", 0),
        ("lower", "Yes, no", 0),
        ("lower", "", 0),
    ],
)
def test_rules(rule: str, answer: str, expected: float) -> None:
    assert exact_match([answer], [["yes", "yeah"]], rule).headline == expected


def test_missing_and_unknown_rule() -> None:
    assert exact_match([None], [[""]]).missing == 1
    assert exact_match([None], [[""]]).headline == 0
    with pytest.raises(InputError, match="did you mean 'lower'"):
        exact_match([], [], "lowr")
