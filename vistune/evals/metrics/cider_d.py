"""CIDEr-D (Vedantam et al., CIDEr, CVPR 2015) as COCO's caption evaluation computes it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import TypeAlias

from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.metrics.ptb import tokenize as ptb_tokenize
from vistune.evals.result import Result

NGRAM = 4
SIGMA = 6.0
Grams: TypeAlias = list[Counter[tuple[str, ...]]]


def cider_d(
    predictions: Sequence[str | None],
    references: Sequence[Sequence[str]],
    tokenize: Callable[[str], list[str]] = ptb_tokenize,
) -> Result:
    """CIDEr-D with document frequencies from these references; 1.0 is what papers print as 100.

    One prediction and its references per image. A missing prediction (`None`) scores as an empty caption.
    """
    pairs = list(aligned(predictions, references))
    truths = [[_grams(tokenize(reference)) for reference in group] for _, group in pairs]
    frequencies: Counter[tuple[str, ...]] = Counter()
    for group in truths:
        frequencies.update({gram for grams in group for counter in grams for gram in counter})
    log_images = math.log(len(pairs)) if pairs else 0.0
    idf: defaultdict[tuple[str, ...], float] = defaultdict(lambda: log_images)
    idf.update({gram: log_images - math.log(count) for gram, count in frequencies.items()})
    scores = [
        _score(_grams(tokenize(prediction or "")), group, idf) for (prediction, _), group in zip(pairs, truths, strict=True)
    ]
    return Result.mean("cider-d/corpus", "CIDEr", scores, unit="", missing=missing(predictions))


def _grams(tokens: list[str]) -> Grams:
    return [Counter(zip(*(tokens[start:] for start in range(n)), strict=False)) for n in range(1, NGRAM + 1)]


def _score(hypothesis: Grams, references: Sequence[Grams], idf: defaultdict[tuple[str, ...], float]) -> float:
    """Ten times the mean over n and references of clipped tf-idf cosine, damped by the difference in length."""
    total = 0.0
    for reference in references:
        # The official code's length is the number of bigrams.
        delta = hypothesis[1].total() - reference[1].total()
        damping = math.exp(-(delta**2) / (2 * SIGMA**2))
        for ours, theirs in zip(hypothesis, reference, strict=True):
            dot = sum(
                min(count, theirs[gram]) * theirs[gram] * idf[gram] ** 2 for gram, count in ours.items() if gram in theirs
            )
            norms = math.sqrt(_norm2(ours, idf) * _norm2(theirs, idf))
            total += damping * (dot / norms if norms else dot)
    return 10.0 * total / (NGRAM * len(references))


def _norm2(grams: Counter[tuple[str, ...]], idf: defaultdict[tuple[str, ...], float]) -> float:
    return sum((count * idf[gram]) ** 2 for gram, count in grams.items())
