from __future__ import annotations

import pytest

from vistune.errors import InputError
from vistune.evals.metrics.multiple_choice import multiple_choice

OPTIONS = ("a cat", "two dogs", "a bird")


def read(reply: str, rule: str) -> str | None:
    """The letter a rule reads: the one that scores."""
    scores = {letter: multiple_choice([reply], [letter], [OPTIONS], rule).headline for letter in "ABC"}
    return next((letter for letter, score in scores.items() if score), None)


@pytest.mark.parametrize(
    ("rule", "reply", "letter"),
    [
        ("letter", "B", "B"),
        ("letter", "(b)", "B"),
        ("letter", " B. two dogs", "B"),
        ("letter", "**B**", "B"),
        ("letter", "B: two dogs", "B"),
        ("letter", "A cat", None),  # the article, not option A
        ("letter", "Both", None),
        ("letter", "D", None),  # no such option
        ("letter", "two dogs", None),
        ("letter", "", None),
        ("letter", "Ｂ", None),  # a full-width letter is not the letter
        ("mmbench", "The answer is B.", "B"),
        ("mmbench", "B or C", None),
        ("mmbench", "I see two dogs here", "B"),
        ("mmbench", "A dog and a bird, I think", "C"),  # A may be the article; one option's text is there
        ("mmbench", "two dogs chase a bird", None),
        ("mmbench", "word " * 100 + "two dogs", None),
        ("mmstar", "The answer is b", "B"),
        ("mmstar", "option c, surely", "C"),
        ("mmstar", "(B) two dogs", "B"),
        ("mmstar", "bird", "B"),  # the official rule looks at the first character only
        ("mmstar", "no idea", None),
        ("mmstar", "(", None),
    ],
)
def test_reading(rule: str, reply: str, letter: str | None) -> None:
    assert read(reply, rule) == letter


@pytest.mark.parametrize("rule", ["letter", "mmbench", "mmstar"])
def test_unparsed_and_missing_are_wrong_and_counted(rule: str) -> None:
    result = multiple_choice(["B", "no idea", None, ""], ["B"] * 4, [OPTIONS] * 4, rule)
    assert (result.headline, result.n, result.unparsed, result.missing) == (25.0, 4, 2, 1)
    assert result.rule == f"multiple_choice/{rule}"


def test_unknown_rule_names_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'letter'"):
        multiple_choice([], [], [], "leter")
