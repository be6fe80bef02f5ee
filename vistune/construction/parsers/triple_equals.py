"""`Question:` and `Answer:` blocks between lines of equals signs (LLaVA-Instruct): one reply is one conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vistune.construction.parsers.base import Format, Item, Parsed, Problem, unix

_LINE = re.compile(r"^[ \t]*={3,}[ \t]*$", re.MULTILINE)
_LABELS = ("Question:", "Answer:")


def parse(text: str) -> Parsed:
    """Blocks must alternate, beginning with a question; reading stops at the first violation, reported with the rest."""
    blocks = [block.strip() for block in _LINE.split(unix(text)) if block.strip()]
    pairs: list[tuple[str, str]] = []
    question: str | None = None
    problem = None if blocks else Problem("nothing found")
    for number, block in enumerate(blocks):
        label = _LABELS[question is not None]
        body = block.removeprefix(label).strip()
        if not block.startswith(label) or not body:
            rest = "\n===\n".join(blocks[number - (question is not None) :])  # with the question that waits for an answer
            problem = Problem(f"expected {label}" if not block.startswith(label) else f"empty {label}", rest)
            break
        if question is None:
            question = body
        else:
            pairs.append((question, body))
            question = None
    else:
        if question is not None:
            problem = Problem("unpaired", question)
    return Parsed((Item(tuple(pairs)),) if pairs else (), (problem,) if problem else ())


def write(items: Sequence[Item]) -> str:
    """The inverse; several items become one conversation."""
    return "\n===\n".join(f"Question:\n{ask}\n===\nAnswer:\n{tell}" for item in items for ask, tell in item.pairs)


FORMAT = Format(
    "triple_equals",
    "Write each question after a line 'Question:' and each answer after a line 'Answer:'. Put a line '===' between every "
    "question and its answer and between every answer and the next question. Write nothing else.",
    parse,
    write,
)
