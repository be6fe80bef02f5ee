"""MagnifierBench's accuracy: how the official evaluation reads one of four letters out of a reply."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result

_CONCLUSION = re.compile(r"The answer is ([A-D])")
_OPTIONS = re.compile(r"A\. (.+?), B\. (.+?), C\. (.+?), D\. (.+)")


def magnifier_bench(predictions: Sequence[str | None], references: Sequence[str], questions: Sequence[str]) -> Result:
    """Percentage of questions whose reply is read as the right letter; `questions` are shown with their options.

    The letter is what follows "The answer is"; else the first of A, B, C, D that occurs anywhere as a capital; else the option
    whose text is in the reply; else the first of the letters in either case. A reply without any is unparsed and wrong.
    """
    read = [None if reply is None else _letter(reply, question) for reply, question in aligned(predictions, questions)]
    scores = [100.0 * (letter == truth) for letter, truth in aligned(read, references)]
    unparsed = sum(letter is None and reply is not None for letter, reply in zip(read, predictions, strict=True))
    return Result.mean("magnifier-bench/otter", "accuracy", scores, missing=missing(predictions), unparsed=unparsed)


def _letter(reply: str, question: str) -> str | None:
    concluded = _CONCLUSION.search(reply)
    if concluded is not None:
        return concluded[1]
    # The official rule, which reads the article "A" at the head of a sentence as an option: kept, since published numbers
    # have it.
    capital = next((letter for letter in "ABCD" if letter in reply), None)
    if capital is not None:
        return capital
    options = _OPTIONS.search(question)
    for letter, option in zip("ABCD", options.groups() if options else (), strict=False):
        text = option.strip()
        text = text[:-1] if text.endswith((".", ",", "?")) else text
        if text.upper() in reply.upper():
            return letter
    return next((letter for letter in "ABCD" if letter in reply.upper()), None)
