"""MMMU (Yue et al., CVPR 2024): reading a letter or a short answer out of a reply."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Literal

from vistune.errors import InputError
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result

OFFICIAL_SEED = 42


@dataclass(frozen=True, slots=True)
class Question:
    """`answers`: accepted answers (a letter for multiple choice); `options`: the choices' text, empty when unknown."""

    answers: tuple[str, ...]
    multiple_choice: bool
    options: tuple[str, ...] = ()


def mmmu(
    predictions: Sequence[str | None],
    questions: Sequence[Question],
    rule: Literal["strict", "official-random", "eval-only"] = "strict",
) -> Result:
    """Accuracy 0..1 over instances; `None` is a missing answer and wrong.

    - `strict`: the official parser; a choice it cannot read is unparsed and wrong
    - `official-random`: the official parser, which then draws a choice (seed 42, in the order given)
    - `eval-only`: the official code for answers parsed before: a choice is the letter itself

    Raises `InputError` when a rule must parse a choice whose options are not known.
    """
    if rule not in ("strict", "official-random", "eval-only"):
        raise InputError(f"MMMU has no rule {rule!r} (known: strict, official-random, eval-only)")
    generator = random.Random(OFFICIAL_SEED)
    scores, unparsed = [], 0
    for number, (reply, question) in enumerate(aligned(predictions, questions)):
        if reply is None:
            scores.append(0.0)
        elif not question.multiple_choice:
            scores.append(float(open_match(reply, question.answers)))
        elif rule == "eval-only":
            unparsed += len(reply) != 1 or reply not in ascii_uppercase
            scores.append(float(reply in question.answers))
        else:
            if not question.options:
                raise InputError(f"question {number + 1}: its options are not known, so only the rule 'eval-only' can score it")
            letter = parse_choice(reply, question.options)
            unparsed += letter is None
            if letter is None and rule == "official-random":
                letter = generator.choice(ascii_uppercase[: len(question.options)])
            scores.append(float(letter in question.answers))
    return Result.mean(f"mmmu/{rule}", "accuracy", scores, unit="", unparsed=unparsed, missing=missing(predictions))


def parse_choice(reply: str, options: Sequence[str]) -> str | None:
    """The letter a reply names, or `None`: '(A)', else ' A ', else an option's text in a reply of over five words.

    Of several, the one named last.
    """
    for mark in ",.!?;:'":
        reply = reply.strip(mark)
    reply = f" {reply} "
    letters = ascii_uppercase[: len(options)]
    forms = [(reply, [f"({letter})" for letter in letters]), (reply, [f" {letter} " for letter in letters])]
    if len(reply.split()) > 5:
        forms.append((reply.lower(), [option.lower() for option in options]))
    for text, wanted in forms:
        places = [text.rfind(form) for form in wanted]
        if max(places) >= 0:
            return letters[places.index(max(places))]
    return None


# What the official code looks for before a conclusion; an equals sign counts in the last part only.
_CONCLUSIONS = ("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ")
_TRIVIAL = frozenset(":,.!?;'")
# The official pattern asks for a capital after the full stop, but in text lower-cased before: only lines ever split.
_PARTS = re.compile(r"\n")
_NUMBERS = (
    re.compile(r"-?\b\d{1,3}(?:,\d{3})+\b"),
    re.compile(r"-?\d+(?:\.\d+)?[eE][+-]?\d+"),
    re.compile(r"-?(?:\d+\.\d+|\.\d+|\d+\b)(?![eE][+-]?\d+)(?![,\d])"),
)


def open_match(reply: str, answers: Sequence[str]) -> bool:
    """Does a reply hold an answer: as a substring of a conclusion, or as a number equal to two decimals?"""
    wanted = {form for answer in answers for form in _forms(answer)}
    texts = [form for form in wanted if isinstance(form, str)]
    found = {form for part in _conclusions(reply) for piece in (part, *_numbers(part)) for form in _forms(piece)}
    return any(form in wanted if isinstance(form, float) else any(text in form for text in texts) for form in found)


def _conclusions(reply: str) -> list[str]:
    reply = reply.strip().strip(".").lower()
    parts = _PARTS.split(reply)
    tails = []
    for index, part in enumerate(parts):
        marks = (*_CONCLUSIONS, "=") if index == len(parts) - 1 else _CONCLUSIONS
        ends = [part.rsplit(mark, 1)[1].strip() for mark in marks if mark in part]
        shortest = _shortest(ends)
        if shortest and shortest not in _TRIVIAL:
            tails.append(shortest)
    return tails or [reply]


def _shortest(ends: Sequence[str]) -> str:
    """The shortest end, where an empty one is replaced by whatever comes next, as in the official loop."""
    shortest = ""
    for end in ends:
        if not shortest or len(end) < len(shortest):
            shortest = end
    return shortest


def _numbers(text: str) -> list[str]:
    return [number for pattern in _NUMBERS for number in pattern.findall(text)]


def _forms(text: str) -> list[str | float]:
    """A number rounded to two decimals, or lower-cased text; a single letter only beside a space."""
    text = text.strip()
    try:
        return [round(float(text.replace(",", "")), 2)]
    except ValueError:
        text = text.lower()
        return [f" {text}", f"{text} "] if len(text) == 1 else [text]
