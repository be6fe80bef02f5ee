"""3D-RAD's numbers: closed answers by letter, open ones by their words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result

_LETTER = re.compile(r"[A-D]\.")
_BLEU_WORD = re.compile(r"\w+|[^\w\s]")
_ROUGE_WORD = re.compile(r"[a-z0-9]+")


def closed_answer(predictions: Sequence[str | None], references: Sequence[str]) -> Result:
    """Percentage of replies that hold the right letter with its period, as the official code asks; references: `B. No`."""
    scores = [100.0 * (reply is not None and truth[:2] in reply) for reply, truth in aligned(predictions, references)]
    unparsed = sum(reply is not None and _LETTER.search(reply) is None for reply in predictions)
    return Result.mean("3d-rad/closed", "accuracy", scores, missing=missing(predictions), unparsed=unparsed)


def unigram_precision(reply: str, truth: str) -> float:
    """BLEU of order 1 of one pair, 0 to 1: clipped precision of words and marks, with the brevity penalty."""
    ours, theirs = _BLEU_WORD.findall(reply), _BLEU_WORD.findall(truth)
    if not ours:
        return 0.0
    shared = sum((Counter(ours) & Counter(theirs)).values())
    penalty = 1.0 if len(ours) > len(theirs) else math.exp(1 - len(theirs) / len(ours))
    return penalty * shared / len(ours)


def unigram_f(reply: str, truth: str) -> float:
    """ROUGE-1 F of one pair, 0 to 1: words of letters and digits, case aside."""
    ours, theirs = Counter(_ROUGE_WORD.findall(reply.lower())), Counter(_ROUGE_WORD.findall(truth.lower()))
    shared = sum((ours & theirs).values())
    return 2 * shared / (sum(ours.values()) + sum(theirs.values())) if shared else 0.0
