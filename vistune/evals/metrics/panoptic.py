"""Panoptic quality (Kirillov et al., Panoptic Segmentation, CVPR 2019) as COCO's panoptic API computes it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Floats, Result

VOID = 0


@dataclass(frozen=True, slots=True, eq=False)
class Panoptic:
    """Segment ids `[H, W]` (0 is void), each segment's category, and the ids that are crowds (references only)."""

    segments: NDArray[np.integer]
    categories: Mapping[int, int]
    crowds: frozenset[int] = field(default_factory=frozenset)


def panoptic_quality(
    predictions: Sequence[Panoptic | None], references: Sequence[Panoptic], things: frozenset[int] = frozenset()
) -> Result:
    """PQ, SQ and RQ in percent over the categories that occur, then PQ of things and of stuff.

    Segments match above IoU .5 within a category, void taken out of the union; an unmatched prediction that is more than
    half void or crowd of its category does not count. A missing map is all misses. An item's score is its own PQ.
    Raises `InputError` for maps of different size and for segments without a category.
    """
    categories = sorted(
        {category for panoptic in (*predictions, *references) if panoptic for category in panoptic.categories.values()}
    )
    place = {category: index for index, category in enumerate(categories)}
    tables = np.zeros((len(references), len(categories), 4))  # IoU sum, TP, FP, FN
    for number, (guess, truth) in enumerate(aligned(predictions, references)):
        tables[number] = _match(guess or Panoptic(np.zeros_like(truth.segments), {}), truth, place, number)
    total = tables.sum(axis=0)
    thing = np.array([category in things for category in categories], dtype=bool)
    pq, sq, rq = _qualities(total[None])
    split = {} if not things else {"PQ_things": _mean(pq[:, thing]), "PQ_stuff": _mean(pq[:, ~thing])}
    return Result(
        "pq/coco-panoptic",
        {"PQ": _mean(pq), "SQ": _mean(sq), "RQ": _mean(rq), **split},
        np.array([_mean(row[None]) for row in _qualities(tables)[0]]),
        lambda weights: np.array([_mean(row[None]) for row in _qualities(np.tensordot(weights, tables, axes=1))[0]]),
        missing=missing(predictions),
        notes=("an item's score is the PQ of its own segments",),
    )


def _match(guess: Panoptic, truth: Panoptic, place: Mapping[int, int], number: int) -> Floats:
    if guess.segments.shape != truth.segments.shape:
        raise InputError(f"panoptic map {number} is {guess.segments.shape}, its reference {truth.segments.shape}")
    table = np.zeros((len(place), 4))
    ours, theirs = _areas(guess, f"predicted panoptic map {number}"), _areas(truth, f"reference panoptic map {number}")
    pairs, shared = np.unique(np.stack([truth.segments.ravel(), guess.segments.ravel()]), axis=1, return_counts=True)
    overlap = {(int(true), int(said)): int(count) for (true, said), count in zip(pairs.T, shared, strict=True)}
    matched_true, matched_said = set(), set()
    for (true, said), count in overlap.items():
        if VOID in (true, said) or true in truth.crowds or truth.categories[true] != guess.categories[said]:
            continue
        iou = count / (theirs[true] + ours[said] - count - overlap.get((VOID, said), 0))
        if iou > 0.5:
            table[place[guess.categories[said]], :2] += iou, 1
            matched_true.add(true)
            matched_said.add(said)
    for true in theirs.keys() - matched_true - truth.crowds:
        table[place[truth.categories[true]], 3] += 1
    for said in ours.keys() - matched_said:
        category = guess.categories[said]
        crowd = next((true for true in truth.crowds if truth.categories[true] == category), None)
        excused = overlap.get((VOID, said), 0) + (0 if crowd is None else overlap.get((crowd, said), 0))
        if excused / ours[said] <= 0.5:
            table[place[category], 2] += 1
    return table


def _areas(panoptic: Panoptic, where: str) -> dict[int, int]:
    """Pixels of each segment. Raises `InputError` for a segment whose category is not given."""
    ids, counts = np.unique(panoptic.segments, return_counts=True)
    areas = {int(name): int(count) for name, count in zip(ids, counts, strict=True) if name != VOID}
    unknown = areas.keys() - panoptic.categories.keys()
    if unknown:
        raise InputError(f"{where}: segment {min(unknown)} has no category")
    return areas


def _qualities(tables: Floats) -> tuple[Floats, Floats, Floats]:
    """PQ, SQ and RQ `[B, categories]` in percent; NaN for a category that does not occur."""
    ious, hits, extra, missed = np.moveaxis(tables, 2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = hits + (extra + missed) / 2
        pq = 100 * ious / np.where(seen > 0, seen, np.nan)
        rq = 100 * hits / np.where(seen > 0, seen, np.nan)
        sq = np.where(hits > 0, 100 * ious / hits, np.where(seen > 0, 0.0, np.nan))
    return pq, sq, rq


def _mean(values: Floats) -> float:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else math.nan
