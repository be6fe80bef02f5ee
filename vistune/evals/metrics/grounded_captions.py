"""GLaMM's grounded-caption numbers beside AP and CIDEr: mIoU of paired masks, recall of masks with their phrases."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vistune.evals.result import Floats

Mask = NDArray[np.bool_]
HALF = 0.5
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Grounded:
    """Phrases and masks that belong together, in order; either list may be the longer one."""

    labels: Sequence[str]
    masks: Sequence[Mask]


def paired_iou(ours: Sequence[Mask], theirs: Sequence[Mask]) -> float:
    """Mean IoU of masks paired one to one, the best pair first, while one overlaps; 0 where none does."""
    table = _ious(ours, theirs)
    found = []
    while table.size and table.max() > 0:
        row, column = np.unravel_index(int(np.argmax(table)), table.shape)
        found.append(float(table[row, column]))
        # Each mask is paired once: the best pair leaves the table with its row and column.
        table = np.delete(np.delete(table, row, axis=0), column, axis=1)
    return float(np.mean(found)) if found else 0.0


def recalled(guess: Grounded, truth: Grounded) -> int:
    """How many reference masks have a mask of their own that overlaps by one half under a phrase like theirs.

    The best pair is taken first; the search ends at the first best pair that fails either condition, as the official code does.
    """
    table = _ious(truth.masks, guess.masks)
    count = 0
    while table.size:
        row, column = (int(place) for place in np.unravel_index(int(np.argmax(table)), table.shape))
        alike = _likeness(truth.labels, row, guess.labels, column)
        if table[row, column] < HALF or alike < HALF:
            break
        count += 1
        # Set to zero and not deleted, since rows and columns are also the numbers of the phrases.
        table[row, :], table[:, column] = 0, 0
    return count


def _likeness(first: Sequence[str], row: int, second: Sequence[str], column: int) -> float:
    """Cosine of the word counts of two phrases, 0 where one of them is not there."""
    if row >= len(first) or column >= len(second):
        return 0.0
    ours, theirs = (Counter(_WORD.findall(text.lower())) for text in (first[row], second[column]))
    norm = math.sqrt(sum(count * count for count in ours.values()) * sum(count * count for count in theirs.values()))
    return sum(count * theirs[word] for word, count in ours.items()) / norm if norm else 0.0


def _ious(rows: Sequence[Mask], columns: Sequence[Mask]) -> Floats:
    table = np.zeros((len(rows), len(columns)))
    for row, first in enumerate(rows):
        for column, second in enumerate(columns):
            united = int((first | second).sum())
            table[row, column] = float((first & second).sum()) / united if united else 0.0
    return table
