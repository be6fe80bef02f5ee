"""ScienceQA (Lu et al., NeurIPS 2022): reading the option out of a reply, as LLaVA does."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vistune.evals.metrics.groups import group_means
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result

OPTIONS = "ABCDE"
_CONCLUSION = re.compile(r"The answer is ([A-E])\.")


def science_qa(
    predictions: Sequence[str | None], references: Sequence[str], choices: Sequence[int], groups: Sequence[Sequence[str]]
) -> Result:
    """Accuracy in percent, then that of each group (`TXT`, `IMG`, `NO`, subjects, grades) an item belongs to.

    `references` are letters, `choices` how many options each question has. A reply without an option, or with one that
    the question does not have, is unparsed and wrong.
    """
    read = [None if reply is None else parse_option(reply, number) for reply, number in zip(predictions, choices, strict=True)]
    scores = [100.0 * (letter == answer) for letter, answer in aligned(read, references)]
    return Result.mean(
        "scienceqa/llava",
        "Avg",
        scores,
        values=group_means(scores, groups),
        missing=missing(predictions),
        unparsed=sum(letter is None and reply is not None for letter, reply in zip(read, predictions, strict=True)),
    )


def parse_option(reply: str, choices: int) -> str | None:
    """The letter alone, before '. ', or in the only 'The answer is X.'; `None` for anything else."""
    letter = reply.strip()
    if letter not in tuple(OPTIONS):
        named = _CONCLUSION.findall(reply)
        if reply[:1] in tuple(OPTIONS) and reply[1:3] == ". ":
            letter = reply[0]
        elif len(named) == 1:
            letter = named[0]
        else:
            return None
    return letter if letter in OPTIONS[:choices] else None
