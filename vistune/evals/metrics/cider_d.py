"""CIDEr-D (Vedantam et al., CIDEr, CVPR 2015) as COCO's caption evaluation computes it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from vistune.evals.metrics.caption_set import MAX_N, CaptionSet, Counts, lookup
from vistune.evals.metrics.ptb import tokenize as ptb_tokenize
from vistune.evals.result import Floats, Result

SIGMA = 6.0


def cider_d(
    predictions: Sequence[str | None],
    references: Sequence[Sequence[str]],
    tokenize: Callable[[str], list[str]] = ptb_tokenize,
) -> Result:
    """CIDEr-D with document frequencies from these references; 1.0 is what papers print as 100.

    One prediction and its references an image. `None` is a missing caption and scores as an empty one. With a single
    image every document frequency is one, so the score is 0.
    """
    return cider_d_of(CaptionSet.of(predictions, references, tokenize))


def cider_d_of(captions: CaptionSet) -> Result:
    """`cider_d` of captions already tokenised."""
    # The official code's length is the number of bigrams.
    bigrams = np.maximum(captions.hypothesis_length - 1, 0), np.maximum(captions.reference_length - 1, 0)
    difference = bigrams[0][captions.image] - bigrams[1]
    # CIDEr-D's penalty for length, without which repeating a word would pay.
    damping = np.exp(-(difference**2) / (2 * SIGMA**2))
    similarity = sum((_similarity(captions, *orders) for orders in captions.ngrams), np.zeros(len(captions.references)))
    total = np.bincount(captions.image, damping * similarity, minlength=len(captions))
    scores = 10.0 * total / MAX_N / np.bincount(captions.image, minlength=len(captions))
    return Result.mean("cider-d/corpus", "CIDEr", scores, unit="", missing=captions.missing)


def _similarity(captions: CaptionSet, ours: Counts, theirs: Counts) -> Floats:
    """tf-idf cosine of each reference with its image's hypothesis, whose counts are clipped to the reference's."""
    keys = captions.image[theirs.owner] * theirs.kinds + theirs.gram
    documents = np.bincount(np.unique(keys) % max(theirs.kinds, 1), minlength=theirs.kinds)
    # A document is an image: an n-gram that several references of one image share counts once.
    idf = math.log(len(captions)) - np.log(np.maximum(documents, 1)) if len(captions) else documents.astype(np.float64)
    found = lookup(ours.owner * ours.kinds + ours.gram, ours.count, keys)
    # Clipped on our side only, as in the official code.
    shared = np.minimum(found, theirs.count) * theirs.count * idf[theirs.gram] ** 2
    references = len(captions.references)
    dot = np.bincount(theirs.owner, shared, minlength=references).astype(np.float64)  # int where there is nothing
    norms = _norm(ours, idf, len(captions))[captions.image] * _norm(theirs, idf, references)
    return np.divide(dot, norms, out=dot, where=norms > 0)


def _norm(counts: Counts, idf: Floats, captions: int) -> Floats:
    return np.sqrt(np.bincount(counts.owner, (counts.count * idf[counts.gram]) ** 2, minlength=captions))
