"""Counts in replies: mean squared error (TGIF-QA), mean absolute error (FSC147, as LAMM and ChEF report it)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result

NUMBER_WORDS = {
    word: number
    for number, words in enumerate(
        [
            "no/zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
    for word in words.split("/")
}
_APART = re.compile(r"[^\w.-]+")


def count_in(reply: str) -> int | None:
    """The first whole number of a reply, in digits or as a word to twenty; `None` without one."""
    for word in _APART.split(reply.lower()):
        plain = word.strip(".-")
        # ASCII: `isdecimal` is also true of digits of other scripts; nine digits, since Python refuses endless ones.
        if plain.isascii() and plain.isdecimal() and len(plain) <= 9:
            return int(plain)
        if plain in NUMBER_WORDS:
            return NUMBER_WORDS[plain]
    return None


def count_error(
    predictions: Sequence[str | None], references: Sequence[int], rule: Literal["squared", "capped"] = "squared"
) -> Result:
    """Mean error of the counts that replies state, lower is better, with the accuracy beside it.

    `squared` is TGIF-QA's mean squared error; `capped` the absolute error, at most the true count (LAMM). A missing or
    unreadable count is 0.
    """
    read = [None if reply is None else count_in(reply) for reply in predictions]
    gaps = [(number or 0) - truth for number, truth in aligned(read, references)]
    errors = [
        float(gap * gap) if rule == "squared" else float(min(truth, abs(gap)))
        for gap, truth in zip(gaps, references, strict=True)
    ]
    right = [number == truth for number, truth in zip(read, references, strict=True)]
    return Result.mean(
        f"counting/{rule}",
        "MSE" if rule == "squared" else "MAE",
        errors,
        values={"accuracy": 100 * sum(right) / len(right)} if right else {},
        unit="",
        missing=missing(predictions),
        unparsed=sum(number is None and reply is not None for number, reply in zip(read, predictions, strict=True)),
        details={"lower_is_better": True},
    )
