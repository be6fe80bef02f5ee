"""MathVista (Lu et al., ICLR 2024): comparing an extracted answer with the problem's."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from rapidfuzz.distance import Levenshtein

from vistune.evals.metrics.inputs import aligned, chosen, missing
from vistune.evals.result import Result


@dataclass(frozen=True, slots=True)
class Problem:
    """What decides the comparison: `choices` are empty for a free-form problem."""

    answer: str
    answer_type: str
    choices: tuple[str, ...] = ()
    precision: int | None = None


Reading: TypeAlias = Callable[[str, Problem], str | None]

_BRACKETED_LETTER = re.compile(r"\(([a-zA-Z])\)")


def math_vista(extractions: Sequence[str | None], problems: Sequence[Problem], rule: str = "official") -> Result:
    """Accuracy in percent. `extractions`: the short answer taken from each reply, `None` where there is none.

    - `official`: a choice is `(X)`, a letter, or else the choice of smallest edit distance, so that even an empty
      extraction picks one; integers are truncated, decimals rounded to the problem's precision
    - `strict`: as `official`, but a choice must be named by its letter or its text; anything else is unparsed
    """
    reading = chosen(RULES, rule, "MathVista")
    read = [None if given is None else reading(given, problem) for given, problem in aligned(extractions, problems)]
    return Result.mean(
        f"mathvista/{rule}",
        "accuracy",
        [100.0 * (value == problem.answer) for value, problem in zip(read, problems, strict=True)],
        missing=missing(extractions),
        unparsed=sum(value is None and given is not None for value, given in zip(read, extractions, strict=True)),
    )


def _official(extraction: str, problem: Problem) -> str | None:
    if not problem.choices:
        return _number_text(extraction, problem)
    named = _named_choice(extraction, problem.choices)
    if named is not None:
        return named
    wanted = _letter_or_text(extraction)
    return min(problem.choices, key=lambda choice: Levenshtein.distance(wanted, choice))


def _strict(extraction: str, problem: Problem) -> str | None:
    if not problem.choices:
        return _number_text(extraction, problem)
    named = _named_choice(extraction, problem.choices)
    return extraction.strip() if named is None and extraction.strip() in problem.choices else named


RULES: Mapping[str, Reading] = MappingProxyType({"official": _official, "strict": _strict})


def _letter_or_text(extraction: str) -> str:
    bracketed = _BRACKETED_LETTER.search(extraction)
    return bracketed[1].upper() if bracketed else extraction.strip()


def _named_choice(extraction: str, choices: Sequence[str]) -> str | None:
    """The choice whose letter, A for the first, was given."""
    letter = _letter_or_text(extraction)
    index = ord(letter) - ord("A") if len(letter) == 1 else -1
    return choices[index] if 0 <= index < len(choices) else None


def _number_text(extraction: str, problem: Problem) -> str | None:
    """The extraction written as the problem writes its answer; `None` when it is no finite number."""
    if problem.answer_type == "list":
        return extraction
    try:
        number = float(extraction)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return str(int(number)) if problem.answer_type == "integer" else str(round(number, problem.precision))
