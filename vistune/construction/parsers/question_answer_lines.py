"""Lines that begin with `Question:` and `Answer:`, numbered or not, with or without blank lines between (SVIT).

    1. Question: Where is the <st>man<ed> [0.200,0.150,0.610,0.900]?
    Answer: Beside the bicycle.
    He kneels.
    2. Question: ...

Any other line goes on with the part before it, also a heading between pairs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vistune.construction.parsers.base import Format, Item, Parsed, Problem, failed, unix

_START = re.compile(r"^\s*(?:\d{1,3}[.)]\s*)?(Question|Answer):\s*(.*)$")
_HEADING = re.compile(r"\s*Conversation\b")
_NAMED = re.compile(r"<st>(.*?)<ed>\s*((?:\[[^\[\]]*\](?:\s*,\s*)?)+)")
_BOX = re.compile(r"\[([^\[\]]*)\]")


def parse(text: str) -> Parsed:
    """Every pair is read or reported: a question or an answer alone, a pair of which one side is empty."""
    parts: list[tuple[str, list[str]]] = []
    before: list[str] = []
    for line in unix(text).split("\n"):
        start = _START.match(line)
        if start:
            parts.append((start[1], [start[2]]))
        elif line.strip():
            (parts[-1][1] if parts else before).append(line)
    if not parts:
        return failed("nothing found", text)
    loose = [line for line in before if not _HEADING.match(line)]
    problems = [Problem("text before the first question", "\n".join(loose))] if loose else []
    items: list[Item] = []
    question: str | None = None
    for label, lines in parts:
        said = "\n".join(lines).strip()
        if label == "Question":
            if question is not None:
                problems.append(Problem("question without answer", question))
            question = said
        elif question is None:
            problems.append(Problem("answer without question", said))
        else:
            if question and said:
                items.append(Item.of((question, said)))
            else:
                problems.append(Problem("empty text", question or said))
            question = None
    if question is not None:
        problems.append(Problem("question without answer", question))
    return Parsed(tuple(items), tuple(problems))


def references(text: str) -> list[tuple[str, list[list[float]]]]:
    """What a text points at: every name between `<st>` and `<ed>`, with the lists of numbers that follow it."""
    found = []
    for name, places in _NAMED.findall(text):
        try:
            boxes = [[float(number) for number in inside.split(",")] for inside in _BOX.findall(places)]
        except ValueError:
            continue
        found.append((name, boxes))
    return found


def write(items: Sequence[Item]) -> str:
    """The inverse, for texts whose lines begin with neither label and that hold no blank line."""
    return "\n".join(f"Question: {ask}\nAnswer: {tell}" for item in items for ask, tell in item.pairs)


FORMAT = Format(
    "question_answer_lines",
    "Begin every question with 'Question: ' and its answer, on the next line, with 'Answer: '. Write nothing else, no headings "
    "and no numbers.",
    parse,
    write,
    independent=True,
)
