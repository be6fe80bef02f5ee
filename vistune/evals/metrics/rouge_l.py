"""ROUGE-L (Lin, ROUGE, 2004) as COCO's caption evaluation computes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from rapidfuzz.distance import LCSseq

from vistune.evals.metrics.caption_set import CaptionSet
from vistune.evals.metrics.ptb import tokenize as ptb_tokenize
from vistune.evals.result import Result

BETA = 1.2
_NO_WORD = [-1]  # the official code splits '' into one empty word


def rouge_l(
    predictions: Sequence[str | None],
    references: Sequence[Sequence[str]],
    tokenize: Callable[[str], list[str]] = ptb_tokenize,
) -> Result:
    """Mean F of the longest common subsequence, in 0..1. `None` is an empty caption.

    The best precision and the best recall are taken over the references independently, before F (beta 1.2).
    """
    return rouge_l_of(CaptionSet.of(predictions, references, tokenize))


def rouge_l_of(captions: CaptionSet) -> Result:
    """`rouge_l` of captions already tokenised."""
    precision, recall = np.zeros(len(captions)), np.zeros(len(captions))
    hypotheses = [tokens or _NO_WORD for tokens in captions.hypotheses]
    for image, reference in zip(captions.image.tolist(), captions.references, strict=True):
        hypothesis, truth = hypotheses[image], reference or _NO_WORD
        common = LCSseq.similarity(hypothesis, truth)
        precision[image] = max(precision[image], common / len(hypothesis))
        recall[image] = max(recall[image], common / len(truth))
    with np.errstate(invalid="ignore"):
        score = (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)
    return Result.mean("rouge-l/coco-caption", "ROUGE_L", np.nan_to_num(score), unit="", missing=captions.missing)
