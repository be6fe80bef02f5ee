"""MATH-Vision (Wang et al., NeurIPS 2024): the final answer of a reply, equal as text, as tuple or as value to two decimals.

The official code hands what a model wrote to `eval`; here a small parser reads arithmetic and nothing else.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from types import MappingProxyType
from typing import TypeAlias

from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result

MAX_CHARACTERS = 200  # of an answer that is read as arithmetic
_TAILS = ("the final answer is", "final answer:", "the answer is", "answer is", "answer:")
_ENDS = re.compile(r"[\s.,;:!?。]*")
_LETTER = re.compile(r"\(?([A-Z])\)?(?:[.:)]|$)")
_UNITS = re.compile(r"\\(?:text|mathrm|mbox)\{[^{}]*\}|\\degree|\^\{?\\circ\}?|°|\\?%|\\\$|\$|\\[,!;: ]|\\left|\\right")
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]+)\}\{([^{}]+)\}")
_ROOT = re.compile(r"\\sqrt\{([^{}]+)\}|√\(?([\w.]+)\)?")
_JUXTAPOSED = re.compile(r"(?<=[\d)])\s*(?=[(p])")  # 2(3), 4pi
Number: TypeAlias = float
_BINARY: Mapping[type[ast.operator], Callable[[Number, Number], Number]] = MappingProxyType(
    {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: math.pow}
)


@dataclass(frozen=True, slots=True)
class Problem:
    """`answer` is a letter when there are `options`, else a value."""

    answer: str
    options: tuple[str, ...] = ()


def math_answer(predictions: Sequence[str | None], problems: Sequence[Problem]) -> Result:
    """Accuracy in percent. For a choice both its letter and its value are right.

    A reply without any final answer (an empty one) is unparsed and wrong; `None` is a missing answer.
    """
    found = [None if reply is None else final_answer(reply) for reply in predictions]
    scores = [100.0 * (given is not None and _right(given, problem)) for given, problem in aligned(found, problems)]
    unparsed = sum(given is None and reply is not None for given, reply in zip(found, predictions, strict=True))
    return Result.mean("math_vision/value", "accuracy", scores, missing=missing(predictions), unparsed=unparsed)


def final_answer(reply: str) -> str | None:
    """The last `\\boxed{...}`, else what follows the last 'answer is' and its like, else the last line; `None` without any."""
    boxed = _last_boxed(reply)
    if boxed is not None:
        return boxed.strip() or None
    lowered = reply.lower()
    for tail in _TAILS:
        place = lowered.rfind(tail)
        if place >= 0 and len(lowered) == len(reply):
            return _without_end(reply[place + len(tail) :].strip(": \n").partition("\n")[0]) or None
    lines = [line for line in reply.splitlines() if line.strip()]
    return _without_end(lines[-1].strip()) or None if lines else None


def _without_end(text: str) -> str:
    """Without closing marks. Matched backwards: a search would take time that grows with the square of a row of full stops."""
    found = _ENDS.match(text[::-1])
    return text[: len(text) - found.end()] if found else text


def _last_boxed(reply: str) -> str | None:
    start = reply.rfind("\\boxed{")
    if start < 0:
        return None
    depth = 0
    for place in range(start + 6, len(reply)):
        depth += {"{": 1, "}": -1}.get(reply[place], 0)
        if depth == 0:
            return reply[start + 7 : place]
    return None


def _right(given: str, problem: Problem) -> bool:
    if not problem.options:
        return equal(given, problem.answer)
    letter = _LETTER.match(given)
    if letter is not None and letter[1] in ascii_uppercase[: len(problem.options)]:
        return letter[1] == problem.answer
    return equal(given, problem.options[ascii_uppercase.index(problem.answer)])


def equal(first: str, second: str) -> bool:
    """Equal as text without spaces and case, as lists of equal parts, or as numbers to two decimals."""
    if _plain(first) == _plain(second):
        return True
    parts, others = _parts(first), _parts(second)
    if len(parts) > 1 or len(others) > 1:
        return len(parts) == len(others) and all(map(equal, parts, others))
    value, other = value_of(first), value_of(second)
    return value is not None and other is not None and round(value, 2) == round(other, 2)


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text).lower()


def _parts(text: str) -> list[str]:
    """`(1, 2)` -> its parts; a comma between thousands separates nothing."""
    text = text.strip()
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", text):
        return [text]
    inner = text[1:-1] if len(text) > 1 and text[0] in "([" and text[-1] in ")]" else text
    return inner.split(",")


def value_of(text: str) -> float | None:
    """The value of plain or LaTeX arithmetic: numbers, + - * / ^, fractions, roots, pi. `None` for anything else."""
    if len(text) > MAX_CHARACTERS:
        return None
    text = _UNITS.sub("", text.rpartition("=")[2]).replace("\\pi", "pi").replace("π", "pi").replace("−", "-")
    text = text.replace("\\times", "*").replace("\\cdot", "*").replace("×", "*").replace(",", "")
    for pattern, form in ((_FRACTION, r"((\1)/(\2))"), (_ROOT, r"((\1\2)**0.5)"), (_FRACTION, r"((\1)/(\2))")):
        text = pattern.sub(form, text)
    text = _JUXTAPOSED.sub("*", text.replace("^", "**").replace("{", "(").replace("}", ")"))
    try:
        return _value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.Name) and node.id == "pi":
        return math.pi
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return _value(node.operand) * (-1 if isinstance(node.op, ast.USub) else 1)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        value = _BINARY[type(node.op)](_value(node.left), _value(node.right))
        if math.isfinite(value):
            return value
    raise ValueError("not arithmetic")
