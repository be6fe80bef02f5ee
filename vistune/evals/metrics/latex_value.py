"""The value of arithmetic written in LaTeX, as far as competition answers need it; nothing is evaluated as code.

    12 - 3\\pi    \\frac{\\sqrt{3}}{2}    5 : 4    6,021,018    42\\%    (3 - 2\\sqrt 2)\\pi

Letters other than `\\pi` have no value, nor has anything that holds one. `6\\frac{1}{4}` is a product, as in algebra.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

Number: TypeAlias = Fraction | float

MAX_CHARACTERS = 400
MAX_FACTORIAL = 170
MAX_BITS = 1 << 14  # of an exact power; beyond it there is no value
_TOKEN = re.compile(r"\s*(?:((?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)(?:\\%)?)|(\\[a-zA-Z]+|\\[!|{}]|.))", re.DOTALL)
_SPACES = ("\\displaystyle", "\\quad", "\\qquad", "\\left", "\\right", "\\,", "\\;", "\\:", "~", "$")
_ENDS = frozenset({".", "\\rightarrow"})  # behind a value these begin something else, which is not read
_CLOSING: Mapping[str, str] = MappingProxyType({"(": ")", "[": "]", "{": "}"})
_DIGITS = frozenset("0123456789.")
_TIMES = frozenset({"*", "\\times", "\\cdot"})
_OVER = frozenset({"/", ":", "\\div"})
_FUNCTIONS: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {"\\sin": math.sin, "\\cos": math.cos, "\\tan": math.tan, "\\ln": math.log, "\\log": math.log10}
    | {"\\arcsin": math.asin, "\\arccos": math.acos, "\\arctan": math.atan}
)


class _NoValueError(Exception):
    """What is written is not arithmetic."""


def latex_value(text: str) -> float | None:
    """The value, `None` for what is not arithmetic, too long, or has none (0 in a denominator)."""
    if len(text) > MAX_CHARACTERS:
        return None
    for space in _SPACES:
        # A command ends before the next letter: `\leftarrow` is not `\left` and an arrow.
        text = re.sub(re.escape(space) + (r"(?![a-zA-Z])" if space[-1].isalpha() else ""), " ", text)
    tokens = [number.replace(",", "") or other for number, other in _TOKEN.findall(text.strip())]
    try:
        value = float(_Parser(tokens).whole())
    except (_NoValueError, ArithmeticError, ValueError, RecursionError):
        return None
    return value if math.isfinite(value) else None


class _Parser:
    """A token at a time, by what binds least first: sums, products, signs and powers, single things."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0

    def whole(self) -> Number:
        value = self._sum()
        if self._next() and self._next() not in _ENDS:
            raise _NoValueError
        return value

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next()
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        if self._take() != token:
            raise _NoValueError

    def _sum(self) -> Number:
        value = self._product()
        while self._next() in ("+", "-"):
            sign = self._take()
            value = _exact(value, self._product(), "-" if sign == "-" else "+")
        return value

    def _product(self) -> Number:
        value = self._signed()
        while True:
            token = self._next()
            if token in _TIMES:
                self._take()
                value = _exact(value, self._signed(), "*")
            elif token in _OVER:
                self._take()
                value = _exact(value, self._signed(), "/")
            # Two things side by side are multiplied; signs are excluded, or `2 -3` would be minus six.
            elif self._begins(token):
                value = _exact(value, self._power(), "*")
            else:
                return value

    def _begins(self, token: str) -> bool:
        return (
            token in _CLOSING
            or token in ("\\frac", "\\sqrt", "\\pi", "e", *_FUNCTIONS)
            or (token[:1] in _DIGITS and token != ".")
        )

    def _signed(self) -> Number:
        if self._next() in ("+", "-"):
            return self._signed() if self._take() == "+" else -self._signed()
        return self._power()

    def _power(self) -> Number:
        value = self._single()
        while self._next() in ("^", "!"):
            if self._take() == "^":
                value = _raised(value, self._group())
            elif value == int(value) and 0 <= value <= MAX_FACTORIAL:
                value = Fraction(math.factorial(int(value)))
            else:
                raise _NoValueError
        return value

    def _group(self) -> Number:
        """What an exponent takes: something in braces, or the one thing that follows."""
        if self._next() == "{":
            return self._single()
        return -self._single() if self._next() == "-" and self._take() else self._single()

    def _single(self) -> Number:
        token = self._take()
        if token in _CLOSING:
            value = self._sum()
            self._expect(_CLOSING[token])
            return value
        if token == "\\frac":
            return self._fraction()
        if token == "\\sqrt":
            return self._root()
        if token == "\\pi":
            return math.pi
        if token == "e" and self._next() == "^":
            return math.e
        if token in _FUNCTIONS:
            return _FUNCTIONS[token](float(self._single()))
        if token[:1] in _DIGITS and token != ".":
            return Fraction(token.removesuffix("\\%")) / (100 if token.endswith("%") else 1)
        raise _NoValueError

    def _fraction(self) -> Number:
        """`\\frac12` is one half: of two arguments without braces each is a digit."""
        token = self._next()
        if len(token) == 2 and token.isdigit():
            self._take()
            return Fraction(int(token[0]), int(token[1]))
        return _exact(self._braced(), self._braced(), "/")

    def _braced(self) -> Number:
        if self._next() != "{":
            raise _NoValueError
        return self._single()

    def _root(self) -> Number:
        degree: Number = Fraction(2)
        if self._next() == "[":
            degree = self._single()
        radicand = self._braced() if self._next() == "{" else self._digit()
        if radicand < 0:
            raise _NoValueError
        return math.sqrt(radicand) if degree == 2 else math.pow(radicand, 1 / degree)

    def _digit(self) -> Number:
        """`\\sqrt2x`: without braces the first digit is the whole argument."""
        token = self._next()
        if not token.isdigit():
            return self._single()
        if len(token) > 1:
            self._tokens[self._at] = token[1:]
            return Fraction(token[0])
        return Fraction(self._take())


def _exact(first: Number, second: Number, operation: str) -> Number:
    """Exact while both sides are: a sum of large powers would lose its last digits."""
    if operation == "+":
        return first + second
    if operation == "-":
        return first - second
    return first * second if operation == "*" else first / second


def _raised(base: Number, exponent: Number) -> Number:
    if isinstance(base, Fraction) and exponent == int(exponent):
        bits = max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(int(exponent))
        # `9^{9^{9}}` is nine characters and no computer's number: the size is estimated before the power is taken.
        if bits > MAX_BITS:
            raise _NoValueError
        return Fraction(base ** int(exponent))
    value: float | complex = float(base) ** float(exponent)
    if isinstance(value, complex):
        raise _NoValueError
    return value
