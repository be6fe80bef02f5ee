"""BLEU-1 to 4 (Papineni et al., BLEU, ACL 2002) as COCO's caption evaluation computes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vistune.evals.metrics.caption_set import MAX_N, CaptionSet, Ints, lookup
from vistune.evals.metrics.ptb import tokenize as ptb_tokenize
from vistune.evals.result import Floats, Result

# Added to every ratio by the official code; they show in scores of captions that share no 4-gram.
TINY, SMALL = 1e-15, 1e-9


def bleu(
    predictions: Sequence[str | None],
    references: Sequence[Sequence[str]],
    tokenize: Callable[[str], list[str]] = ptb_tokenize,
) -> Result:
    """Corpus BLEU-4, with 1 to 3 beside it, in 0..1; counts and lengths in `details`. `None` is an empty caption."""
    return bleu_of(CaptionSet.of(predictions, references, tokenize))


def bleu_of(captions: CaptionSet) -> Result:
    """`bleu` of captions already tokenised."""
    # A caption of L words has L - n + 1 n-grams, and a shorter one has none, not a negative number.
    guess = np.maximum(captions.hypothesis_length[:, None] - np.arange(MAX_N), 0)
    correct = np.stack([_clipped(captions, n) for n in range(MAX_N)], axis=1)
    columns = np.concatenate([correct, guess, captions.hypothesis_length[:, None], _closest(captions)[:, None]], axis=1)
    totals = columns.sum(axis=0)
    scores = _bleu(totals[None].astype(np.float64))[0]
    return Result(
        "bleu/coco-caption",
        {f"Bleu_{n}": float(scores[n - 1]) for n in (4, 1, 2, 3)},
        _bleu(columns.astype(np.float64))[:, -1],
        # BLEU is no mean of captions: a resample sums counts and lengths first, as the corpus score does.
        lambda weights: _bleu(weights @ columns)[:, -1],
        unit="",
        missing=captions.missing,
        details={
            "testlen": int(totals[-2]),
            "reflen": int(totals[-1]),
            "guess": totals[MAX_N:-2].tolist(),
            "correct": totals[:MAX_N].tolist(),
        },
    )


def _bleu(columns: Floats) -> Floats:
    """BLEU-1..4 `[B, 4]` of rows (correct 1..4, guess 1..4, length, reference length)."""
    precision = (columns[:, :MAX_N] + TINY) / (columns[:, MAX_N:-2] + SMALL)
    # The n-th column is the geometric mean of the first n precisions: BLEU-1 to BLEU-4 in one go.
    mean = np.cumprod(precision, axis=1) ** (1 / np.arange(1, MAX_N + 1))
    ratio = (columns[:, -2:-1] + TINY) / (columns[:, -1:] + SMALL)
    return np.asarray(mean * np.exp(np.minimum(0.0, 1 - 1 / ratio)))


def _clipped(captions: CaptionSet, order: int) -> Ints:
    """Matched n-grams of each hypothesis, each counted at most as often as in the reference that has it most."""
    ours, theirs = captions.ngrams[order]
    keys = captions.image[theirs.owner] * theirs.kinds + theirs.gram
    # Sorted by key and then by count, so that the last entry of each key is the largest count among an image's references.
    by_key = np.lexsort((theirs.count, keys))
    keys, counts = keys[by_key], theirs.count[by_key]
    last = np.append(keys[1:] != keys[:-1], True)[: len(keys)]
    allowed = lookup(keys[last], counts[last], ours.owner * ours.kinds + ours.gram)
    matched = np.bincount(ours.owner, np.minimum(ours.count, allowed), minlength=len(captions))
    return matched.astype(np.int64)


def _closest(captions: CaptionSet) -> Ints:
    """The reference length nearest to each hypothesis's, the shorter of two equally near."""
    lengths = captions.reference_length
    distance = np.abs(lengths - captions.hypothesis_length[captions.image])
    order = np.lexsort((lengths, distance, captions.image))
    first = np.searchsorted(captions.image[order], np.arange(len(captions)))
    return lengths[order][first]
