"""The field's response-format prompts: the same question, asked for one word, for an option's letter, for yes or no, for a box.

Wordings are those that LLaVA-1.5 (arXiv 2310.03744, section 3.2 and table 7) tells its benchmarks' forms by.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias, get_args

import numpy as np

from vistune.sample import Part, Region, Text, Turn
from vistune.world import palette
from vistune.world.exchange import choose
from vistune.world.expressions import NUMBERS
from vistune.world.films.roles import ACTIONS, DIRECTIONS
from vistune.world.scene import NAMES
from vistune.world.solids.surfaces import NAMES as SOLIDS
from vistune.world.sounds.sound import NAMES as SOUNDS

Form: TypeAlias = Literal["word", "letter", "yes_no", "box"]
FORMS: tuple[Form, ...] = get_args(Form)
LETTERS = ("A", "B", "C", "D")

_WORD = ("Answer the question using a single word or phrase.", "Answer with a single word or phrase.")
_LETTER = ("Answer with the option's letter from the given choices directly.",)
_YES_NO = (
    "Please answer yes or no.",
    "Answer with yes or no.",
    "Answer the question using a single word or phrase.",
)
_BOX = (
    "Please provide the bounding box coordinate of the region this sentence describes: {it}",
    "Please provide the bounding box coordinates of the region described by: {it}",
)
_BOX_BEHIND = ("Answer with a bounding box.", "Answer the question with a box only.")

# Answers that may stand beside each other as options.
_FAMILIES: tuple[tuple[str, ...], ...] = (
    ("yes", "no"),
    palette.NAMES,
    NUMBERS[:10],
    NUMBERS[10:],
    NAMES["shape"],
    NAMES["word"],
    SOLIDS,
    (*SOUNDS["struck"], *SOUNDS["blown"], "voice"),
    ("low", "high"),
    DIRECTIONS,
    ("left", "right", "above", "below"),
    ("left", "right", "in front", "behind"),
    ACTIONS,
)


def in_form(question: Turn, answer: Turn, form: Form, rng: np.random.Generator) -> tuple[Turn, Turn] | None:
    """A question and its answer in one of the forms; None where they do not lend themselves to it."""
    if form == "box":
        return _boxed(question, answer, rng)
    said = answer.parts[0] if len(answer.parts) == 1 else None
    if not isinstance(said, Text):
        return None
    text = said.text.strip()
    if form == "letter":
        return _lettered(question, text, rng)
    if form == "yes_no":
        return (_with(question, choose(_YES_NO, rng)), answer) if text in ("yes", "no") else None
    short = len(text.split()) <= 2 or any(text in family for family in _FAMILIES)
    return (_with(question, choose(_WORD, rng)), answer) if short else None


def _lettered(question: Turn, text: str, rng: np.random.Generator) -> tuple[Turn, Turn] | None:
    families = [family for family in _FAMILIES if text in family]
    if not families:
        return None
    family = families[int(rng.integers(len(families)))]
    others = [other for other in family if other != text]
    number = min(len(others), int(rng.integers(1, len(LETTERS))))
    options = [text, *(others[int(index)] for index in rng.permutation(len(others))[:number])]
    options = [options[int(index)] for index in rng.permutation(len(options))]
    lines = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
    letter = LETTERS[options.index(text)]
    return _with(question, f"{lines}\n{choose(_LETTER, rng)}"), Turn("assistant", (Text(letter),))


def _boxed(question: Turn, answer: Turn, rng: np.random.Generator) -> tuple[Turn, Turn] | None:
    region = answer.parts[0] if len(answer.parts) == 1 else None
    if not isinstance(region, Region):
        return None
    if region.label is None or rng.random() < 0.3:
        return _with(question, choose(_BOX_BEHIND, rng)), answer
    shown = [part for part in question.parts if not isinstance(part, Text | Region)]
    asked = choose(_BOX, rng).format(it=region.label)
    parts: tuple[Part, ...] = (*shown, Text(f"\n{asked}" if shown else asked))
    return replace(question, parts=parts), answer


def _with(question: Turn, prompt: str) -> Turn:
    """The question with a line behind it."""
    *before, last = question.parts
    if isinstance(last, Text):
        return replace(question, parts=(*before, Text(f"{last.text}\n{prompt}")))
    return replace(question, parts=(*question.parts, Text(f"\n{prompt}")))
