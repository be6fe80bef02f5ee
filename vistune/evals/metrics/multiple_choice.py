"""Multiple choice: reading an option out of a reply, under a named rule; an unreadable reply is wrong, never guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from string import ascii_uppercase
from types import MappingProxyType

from vistune.evals.metrics.inputs import aligned, chosen, missing
from vistune.evals.result import Result

_LEADING = re.compile(r"\s*[(\[*]*([A-Za-z])(?:[)\].:,*]|\s*$)")
_MMBENCH_MARKS = str.maketrans(dict.fromkeys(".()[],:;!*#{}", " "))
_MMSTAR_OPENINGS = ("", "(", "option ", "the answer is ")


def multiple_choice(
    predictions: Sequence[str | None], references: Sequence[str], options: Sequence[Sequence[str]], rule: str = "letter"
) -> Result:
    """Accuracy in percent. `references` are letters, `options` each question's choices in order.

    - `letter`: the reply begins with the letter, alone or set off by a mark: `B`, `(B)`, `B.`, `B: a dog`
    - `mmbench`: the rule part of MMBench's extraction: one letter stands free in the reply, or else one option's text is
      in it; the language model that the official code asks next is a judge's business
    - `bracketed`: the whole reply is `(B)`, or the letter alone, as BLINK's evaluation compares extracted options
    - `blink`: that, or the only option in brackets among the words of the reply, or else of its last paragraph: the part of
      BLINK's extraction that asks no language model
    - `mmstar`: the lower-cased reply begins with the letter, `(x`, `option x` or `the answer is x`

    `None` is a missing answer. Raises `InputError` for an unknown rule.
    """
    reading = chosen(RULES, rule, "multiple choice")
    read = [None if reply is None else reading(reply, choices) for reply, choices in aligned(predictions, options)]
    return Result.mean(
        f"multiple_choice/{rule}",
        "accuracy",
        [100.0 * (letter == reference) for letter, reference in aligned(read, references)],
        missing=missing(predictions),
        unparsed=sum(letter is None and reply is not None for letter, reply in zip(read, predictions, strict=True)),
    )


def _letter(reply: str, options: Sequence[str]) -> str | None:
    found = _LEADING.match(reply)
    return None if found is None else _known(found[1].upper(), options)


def _mmbench(reply: str, options: Sequence[str]) -> str | None:
    letters = ascii_uppercase[: len(options)]
    words = reply.translate(_MMBENCH_MARKS).split()
    free = [letter for letter in letters if letter in words]
    # Among more than three words an A may be the article; the official code then gives up on letters.
    if len(free) == 1 and not ("A" in words and len(words) > 3):
        return free[0]
    if len(reply) > 2 * sum(len(option) for option in options):
        return None
    named = [letter for letter, option in zip(letters, options, strict=True) if option and option.lower() in reply.lower()]
    return named[0] if len(named) == 1 else None


def _mmstar(reply: str, options: Sequence[str]) -> str | None:
    reply = reply.lower().replace("\n", " ").strip()
    for opening in reversed(_MMSTAR_OPENINGS):
        if reply.startswith(opening) and len(reply) > len(opening):
            return _known(reply[len(opening)].upper(), options)
    return None


def _bracketed(reply: str, options: Sequence[str]) -> str | None:
    letter = reply[1:-1] if reply[:1] + reply[-1:] == "()" else reply
    return _known(letter, options) if len(letter) == 1 else None


def _blink(reply: str, options: Sequence[str]) -> str | None:
    whole = _bracketed(reply, options)
    if whole is not None:
        return whole
    words, last = reply.split(), reply.split("\n\n")[-1].split()
    forms = [f"({letter})" for letter in ascii_uppercase[: len(options)]]
    for told in (last, words):
        named = [form for form in forms if form in told]
        if len(named) == 1:
            return named[0][1]
    return None


def _known(letter: str, options: Sequence[str]) -> str | None:
    return letter if letter in ascii_uppercase[: len(options)] else None


RULES: Mapping[str, Callable[[str, Sequence[str]], str | None]] = MappingProxyType(
    {"letter": _letter, "mmbench": _mmbench, "mmstar": _mmstar, "bracketed": _bracketed, "blink": _blink}
)
