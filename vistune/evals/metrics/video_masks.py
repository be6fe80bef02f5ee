"""Region similarity J and contour accuracy F of masks in films (Perazzi et al., CVPR 2016; Pont-Tuset et al., DAVIS 2017)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vistune.evals.result import Floats

Mask = NDArray[np.bool_]
TOLERANCE = 0.008  # of the picture's diagonal
BINS = 4


def region_similarity(guess: Mask, truth: Mask) -> float:
    """IoU of two masks `[H, W]`; 1 where both are empty."""
    united = int((guess | truth).sum())
    return float((guess & truth).sum()) / united if united else 1.0


def contour_accuracy(guess: Mask, truth: Mask, tolerance: float = TOLERANCE) -> float:
    """F of the contours' pixels, each right when the other contour passes within the tolerance (rounded up to pixels)."""
    radius = math.ceil(tolerance * math.hypot(*guess.shape))
    ours, theirs = contour(guess), contour(truth)
    if not ours.any() and not theirs.any():
        return 1.0
    if not ours.any() or not theirs.any():
        return 0.0
    precision = float((ours & dilated(theirs, radius)).sum()) / float(ours.sum())
    recall = float((theirs & dilated(ours, radius)).sum()) / float(theirs.sum())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def contour(mask: Mask) -> Mask:
    """Pixels that differ from the one to the right, below, or both; in the last row and column only along it."""
    right, below, both = mask.copy(), mask.copy(), mask.copy()
    right[:, :-1] = mask[:, 1:]
    below[:-1] = mask[1:]
    both[:-1, :-1] = mask[1:, 1:]
    found = (mask ^ right) | (mask ^ below) | (mask ^ both)
    found[-1] = mask[-1] ^ right[-1]
    found[:, -1] = mask[:, -1] ^ below[:, -1]
    found[-1, -1] = False
    return np.asarray(found)


def dilated(mask: Mask, radius: int) -> Mask:
    """Every pixel within `radius` of one of the mask's."""
    height, width = mask.shape
    grown = np.zeros_like(mask)
    sums = np.pad(np.cumsum(mask, axis=1, dtype=np.int64), ((0, 0), (1, 0)))
    for shift in range(-min(radius, height - 1), min(radius, height - 1) + 1):
        half = math.isqrt(radius * radius - shift * shift)
        columns = np.arange(width)
        upper, lower = np.minimum(columns + half + 1, width), np.maximum(columns - half, 0)
        row = sums[:, upper] > sums[:, lower]  # does the row have a pixel within `half` of the column?
        target, source = (
            (slice(shift, None), slice(0, height - shift)) if shift >= 0 else (slice(0, shift), slice(-shift, None))
        )
        grown[target] |= row[source]
    return grown


def statistics(scores: Floats) -> tuple[float, float, float]:
    """Mean, recall (the share over one half) and decay (the first quarter's mean less the last's) of a film's frames."""
    bounds = np.round(np.linspace(1, len(scores), BINS + 1) + 1e-10).astype(np.int64) - 1
    quarters = [scores[bounds[number] : bounds[number + 1] + 1] for number in range(BINS)]
    return float(scores.mean()), float((scores > 0.5).mean()), float(quarters[0].mean() - quarters[-1].mean())
