"""Medical visual question answering as LLaVA-Med reports it (Li et al., NeurIPS 2023): closed accuracy, open recall."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from vistune.evals.metrics.groups import group_means
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result

_WORD = re.compile(r"[^\W_]+")


def open_closed(predictions: Sequence[str | None], references: Sequence[str], closed: Sequence[bool]) -> Result:
    """Percentages: `closed` accuracy, `open` recall, and `overall`, the mean over all questions, as headline.

    A closed question (yes or no, or a choice) is right when the words of its answer are in the reply in that order and, for
    yes and no, the opposite word is not. An open one scores the share of the answer's distinct words that the reply has.
    Words are lower-cased runs of letters and digits.
    """
    scores = np.array(
        [
            0.0 if reply is None else 100 * (_closed_hit(reply, truth) if is_closed else _recall(reply, truth))
            for (reply, truth), is_closed in zip(aligned(predictions, references), closed, strict=True)
        ]
    )
    means = group_means(scores, [("closed" if is_closed else "open",) for is_closed in closed])
    unparsed = sum(
        reply is not None and is_closed and truth.strip().lower() in ("yes", "no") and _polarity(reply) is None
        for reply, truth, is_closed in zip(predictions, references, closed, strict=True)
    )
    return Result.mean("open_closed/words", "overall", scores, values=means, unparsed=unparsed, missing=missing(predictions))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _polarity(reply: str) -> str | None:
    said = {"yes", "no"} & set(_words(reply))
    return said.pop() if len(said) == 1 else None


def _closed_hit(reply: str, truth: str) -> float:
    wanted = _words(truth)
    if wanted in (["yes"], ["no"]):
        return float(_polarity(reply) == wanted[0])
    return float(bool(wanted) and f" {' '.join(wanted)} " in f" {' '.join(_words(reply))} ")


def _recall(reply: str, truth: str) -> float:
    wanted = set(_words(truth))
    return len(wanted & set(_words(reply))) / len(wanted) if wanted else 0.0
