"""Blocks of two lines, `Question: ...` and `Answer: ...`, with blank lines between (SVIT, Syphus): each block stands alone.

A colon followed by a blank inside a question or answer makes its block invalid, as in the released code.
"""

from __future__ import annotations

from collections.abc import Sequence

from vistune.construction.parsers.base import Format, Item, Parsed, Problem, unix


def parse(text: str) -> Parsed:
    """Every block is read or reported; an empty reply is one empty, invalid block."""
    items: list[Item] = []
    problems: list[Problem] = []
    for block in unix(text).strip().split("\n\n"):
        lines = [line.split(": ") for line in block.split("\n")]
        if len(lines) == 2 and all(len(line) == 2 and line[1].strip() for line in lines):
            (ask, question), (tell, answer) = lines
            if (ask, tell) == ("Question", "Answer"):
                items.append(Item.of((question.strip(), answer.strip())))
                continue
        problems.append(Problem("not a question and answer", block))
    return Parsed(tuple(items), tuple(problems))


def write(items: Sequence[Item]) -> str:
    """The inverse, for one-line texts without a colon followed by a blank."""
    return "\n\n".join(f"Question: {ask}\nAnswer: {tell}" for item in items for ask, tell in item.pairs)


FORMAT = Format(
    "question_answer",
    "Write each pair on two lines, the first beginning with 'Question: ' and the second with 'Answer: ', and leave one blank "
    "line between pairs. Do not use a colon followed by a blank anywhere else. Write nothing else.",
    parse,
    write,
    independent=True,
)
