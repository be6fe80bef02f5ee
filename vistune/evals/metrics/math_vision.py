"""MATH-Vision (Wang et al., NeurIPS 2024): the official reading of a reply, and its equality of answers.

The official code evaluates what a model wrote as Python; here `latex_value` reads arithmetic and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import ascii_uppercase

from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.metrics.latex_value import latex_value
from vistune.evals.metrics.math_answer import Problem
from vistune.evals.result import Result

_SAID = ("the final answer is", "the answer is", "the correct answer is", "the answer should be")
_BOXED = re.compile(r"oxed{(.*)}", re.DOTALL)
_LEFT_OUT = (" ", "\\,", "\n", "\\text", "\\mbox", "\\left", "\\right", "^{\\circ}", "^\\circ", "{m}^3", "m^3")
_UNITS = ("{units}", "units", "{km}", "km")
_NO_VALUE = ("infty", "a", "-a")  # parts of a tuple that stay as they are written


def math_vision(predictions: Sequence[str | None], problems: Sequence[Problem]) -> Result:
    """Accuracy in percent. For a choice both its letter and its value are right.

    A reply from which nothing is read is unparsed and wrong; `None` is a missing answer.
    """
    scores = [100.0 * (reply is not None and is_right(reply, problem)) for reply, problem in aligned(predictions, problems)]
    unparsed = sum(reply is not None and not read_answer(reply) for reply in predictions)
    return Result.mean("math_vision/official", "accuracy", scores, missing=missing(predictions), unparsed=unparsed)


def is_right(reply: str, problem: Problem) -> bool:
    """Is the answer read from a reply the problem's letter, or the value of that option?"""
    given = read_answer(reply)
    value = problem.options[ascii_uppercase.index(problem.answer)] if problem.options else ""
    return same(problem.answer, given) or same(value, given)


def read_answer(reply: str) -> str:
    """The answer a reply comes to, lower-cased and without spaces; '' when there is none.

    A letter that ends the reply or stands on its first line, a number behind the last `is`, what follows the last `the answer
    is` and its like up to the sentence's end, the last box; else the whole reply.
    """
    text = reply.strip()
    for letter in "ABCDE":
        ends, starts = (f" {letter}.", f" ({letter})."), (f"{letter}\n", f"({letter})\n", f"({letter}) {letter}\n")
        if text.endswith(ends) or text.startswith(starts):
            text = letter
    last = text.split("is ")[-1].rstrip(".")
    if _is_number(last):
        text = last
    if "oxed{" not in text:
        for said in _SAID:
            for mark in (said, said.replace("the", "The")):
                _, found, rest = text.rpartition(mark)
                text = rest.strip().split("\n")[0].split(". ")[0] if found else text.strip()
    elif text.count("oxed{") > 1:
        text = "\\boxed{" + text.split("oxed{")[-1]
    text = _plain(text)
    for letter in "abcde":
        text = text.replace(f"({letter})", letter)
    for letter in "abcde":
        text = text.replace(f"{{{letter}}}", letter)
    return text.rstrip(".").lstrip(":").strip()


def same(first: str, second: str) -> bool:
    """Equal as text without case, as tuples of equal parts, or as values to two decimals; nothing equals an empty answer."""
    first, second = first.lower(), second.lower()
    if not first.replace(" ", "") or not second.replace(" ", ""):
        return False
    if first.strip() == second.strip() or _tuple(first) == _tuple(second):
        return True
    value, other = latex_value(first), latex_value(second)
    return value is not None and other is not None and round(value, 2) == round(other, 2)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _plain(text: str) -> str:
    """What stands in the last box, or the whole text, behind its last equals sign, without LaTeX that only places it."""
    text = text.lower().replace("{}", "")
    boxed = _BOXED.findall(text)
    text = boxed[-1] if boxed else text
    closing, opening = text.find("}"), text.find("{")
    if closing >= 0 and (opening < 0 or closing < opening):
        text = text[:closing]
    text = text.split("=")[-1].split("\\approx")[-1].replace("∞", "\\infty").replace("+\\infty", "\\infty")
    text = text.replace("\\\\", "\\").replace("bmatrix", "pmatrix")
    for part in (*_LEFT_OUT, *_UNITS):
        text = text.replace(part, "")
    return _reduced(text)


def _reduced(text: str) -> str:
    for part in ("\\!", "\\left", "\\right", "\\$", "$"):
        text = text.replace(part, "")
    text = text.replace("\\\\", "\\").replace("tfrac", "frac").replace("dfrac", "frac")
    text = text.split("\\text{ ")[0].replace("\\%", "").replace("{.", "{0.")
    text = f"0{text}" if text.startswith(".") else text
    text = re.sub(r"\\sqrt(?!\{)(.)", r"\\sqrt{\1}", text).replace(" ", "")
    if "sqrt" in text:
        text = re.sub(r"\\frac(?!\{)(.)(?:\{|(.))", lambda f: f"\\frac{{{f[1]}}}" + (f"{{{f[2]}}}" if f[2] else "{"), text)
    if text == "0.5":
        return "\\frac{1}{2}"
    return re.sub(r"^(-?\d+)/(-?\d+)$", r"\\frac{\1}{\2}", text)


def _tuple(text: str) -> str:
    """`(2*3, 5+2)` -> `(6.0,7.0)`; anything else, and a tuple with a part that has no value, as it is."""
    parts = text[1:-1].split(",")
    if len(parts) < 2 or (text[0], text[-1]) not in (("(", ")"), ("[", "]")):
        return text
    values: list[str] = []
    for part in parts:
        value = None if "infty" in part or part in _NO_VALUE else latex_value(part)
        if value is None and not ("infty" in part or part in _NO_VALUE):
            return text
        values.append(part if value is None else str(round(value, 2)))
    return f"{text[0]}{','.join(values)}{text[-1]}"
