"""A question, options `A:` to `D:` and `Answer: letter` (PMC-VQA): each block stands alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vistune.construction.parsers.base import Format, Item, Parsed, Problem, failed, unix

LETTERS = "ABCD"
_BLOCK = re.compile(
    r"Question:[ \t]*(?P<question>\S.*)\n"
    + "".join(rf"[ \t]*{letter}[:.)][ \t]*(?P<{letter}>\S.*)\n" for letter in LETTERS)
    + r"[ \t]*Answer:[ \t]*(?P<answer>[ABCD])\b.*"
)


def parse(text: str) -> Parsed:
    """Every block is read or reported. Options must differ."""
    blocks = [block.strip() for block in unix(text).strip().split("\n\n") if block.strip()]
    if not blocks:
        return failed("nothing found", text)
    items: list[Item] = []
    problems: list[Problem] = []
    for block in blocks:
        match = _BLOCK.fullmatch(block)
        if match is None:
            problems.append(Problem("not a question with four options and an answer", block))
            continue
        choices = tuple(match[letter].strip() for letter in LETTERS)
        if len({choice.lower() for choice in choices}) < len(LETTERS):
            problems.append(Problem("two options are the same", block))
            continue
        items.append(Item.of((match["question"].strip(), match["answer"]), choices=choices))
    return Parsed(tuple(items), tuple(problems))


def write(items: Sequence[Item]) -> str:
    """The inverse."""
    blocks = []
    for item in items:
        (question, answer), choices = item.pairs[0], item.fields["choices"]
        options = "\n".join(f"{letter}: {choice}" for letter, choice in zip(LETTERS, choices, strict=True))
        blocks.append(f"Question: {question}\n{options}\nAnswer: {answer}")
    return "\n\n".join(blocks)


FORMAT = Format(
    "multiple_choice",
    "Write each question on a line beginning with 'Question: ', then four different options on lines beginning with 'A: ', "
    "'B: ', 'C: ' and 'D: ', then a line 'Answer: ' with the right letter. Leave one blank line between questions. Write "
    "nothing else.",
    parse,
    write,
    independent=True,
)
