"""MM-Vet: a few-shot grader that gives an answer a share from 0 to 1 of the ground truth (Yu et al., ICML 2024)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import ClassVar

import numpy as np

from vistune.errors import InputError
from vistune.evals.benchmark import worded
from vistune.evals.judges.base import Question, Verdict, one_each, question_of, scores_of, unread
from vistune.evals.metrics.groups import group_means
from vistune.evals.prediction import Prediction
from vistune.evals.result import Result
from vistune.sample import Sample

# The published grader's form: a table with these columns whose last cell is to be filled in. The words are ours.
_PROMPT = """Fill in the last cell of this table: how correct is the prediction, from 0.0 (not at all) to 1.0 (fully)? It may be
any of 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9 and 1.0. <AND> in the ground truth means that every part must be there,
<OR> that any one is enough. Write only the number.

Question | Ground truth | Prediction | Correctness
--- | --- | --- | ---
How many cups stand on the shelf? | 4 | There are three cups on the shelf. | 0.0
How many cups stand on the shelf? | 4 | I count four of them. | 1.0
What do the two signs say? | exit <AND> no smoking | One of them reads "No smoking". | 0.5
What is the man in the hat doing? | fishing <OR> angling | He is angling from a small boat. | 1.0
Which fruits are in the bowl? | apple <AND> pear <AND> plum <AND> fig | An apple, a pear and a plum. | 0.7
Which fruits are in the bowl? | apple <AND> pear <AND> plum <AND> fig | A banana. | 0.0
{question} | {truth} | {prediction} |"""


@dataclass(frozen=True)
class MmVet:
    """Reads the first word of the reply as a number from 0 to 1, asks up to five times more, then counts 0, as published.

    The published numbers were graded by gpt-4-0613.
    """

    rule: ClassVar[str] = "judge/mm_vet-1"
    attempts: ClassVar[int] = 6

    def ask(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> list[Question]:
        """One question an answer."""
        return one_each(samples, predictions, _prompt, max_tokens=3)

    def parse(self, text: str) -> Mapping[str, float] | None:
        """The first word, a number from 0 to 1."""
        try:
            score = float(text.split()[0])
        except (ValueError, IndexError):
            return None
        return {"score": score} if math.isfinite(score) and 0 <= score <= 1 else None

    def result(
        self, samples: Sequence[Sample], predictions: Sequence[Prediction | None], verdicts: Sequence[Verdict]
    ) -> Result:
        """Percent of the total, of each capability, and in the details of each combination of capabilities."""
        scores = [[score or 0.0] for score in scores_of("score", verdicts, len(samples))]
        result = mm_vet_result(self.rule, samples, scores)
        return replace(result, unparsed=unread(verdicts), missing=predictions.count(None))


def mm_vet_result(rule: str, samples: Sequence[Sample], runs: Sequence[Sequence[float] | None]) -> Result:
    """Percent of the total and of each capability; `runs[i]` are the scores that each run of the judge gave to sample i.

    Of several runs the values are means, and `std` is the runs' deviation (of the population, as officially). `None` is 0.
    Raises `InputError` when samples were graded in different numbers of runs.
    """
    counts = {len(scores) for scores in runs if scores is not None}
    if len(counts) > 1:
        raise InputError(f"the samples were graded in different numbers of runs: {', '.join(map(str, sorted(counts)))}")
    count = counts.pop() if counts else 1
    table = 100 * np.array([[0.0] * count if scores is None else list(scores) for scores in runs]).reshape(-1, count)
    scores = table.mean(axis=1)
    totals = table.mean(axis=0) if len(table) else np.zeros(count)
    capabilities = [tuple(sample.meta["capability"]) for sample in samples]
    means = group_means(scores, capabilities)
    spread = {"std": float(totals.std())} if count > 1 else {}
    return Result.mean(
        rule,
        "total",
        scores,
        values={name: means[name] for name in sorted(set(chain.from_iterable(capabilities)))} | spread,
        details={
            "combinations": group_means(scores, [("+".join(sorted(names)),) for names in capabilities]),
            "runs": [float(total) for total in totals],
        },
    )


def _prompt(sample: Sample, answer: str) -> str:
    cells = {"question": question_of(sample), "truth": sample.answers[0], "prediction": answer}
    spaced = cells["truth"].replace("<AND>", " <AND> ").replace("<OR>", " <OR> ")
    return worded(_PROMPT, **{name: " ".join(text.split()) for name, text in (cells | {"truth": spaced}).items()})
