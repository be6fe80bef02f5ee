"""Image-text retrieval: recall at K in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.evals.result import Floats, Result


def retrieval(
    similarity: NDArray[np.floating],
    relevant: NDArray[np.bool_],
    ks: Sequence[int] = (1, 5, 10),
    ties: Literal["pessimistic", "optimistic"] = "pessimistic",
) -> Result:
    """R@K in percent for queries (rows) against candidates (columns), the smallest K first, then median rank.

    A query is found at K when any of its `relevant` candidates is among the K most similar: with five captions an image,
    any of the five. Of equal similarities, `pessimistic` ranks the wrong ones first, so that a model that says the same
    of everything gets nothing for it. Raises `InputError` for NaN and for a query without a relevant candidate.
    """
    if similarity.shape != relevant.shape or similarity.ndim != 2:
        raise InputError(f"similarity {similarity.shape} and relevance {relevant.shape} are not one [queries, candidates]")
    if np.isnan(similarity).any():
        raise InputError(f"similarity of query {int(np.argwhere(np.isnan(similarity))[0][0])} holds NaN")
    if not relevant.any(axis=1).all():
        raise InputError(f"query {int(np.flatnonzero(~relevant.any(axis=1))[0])} has no relevant candidate")
    rank = _first_rank(similarity, relevant, ties)
    recalls = {k: np.where(rank < k, 100.0, 0.0) for k in ks}
    return Result.mean(
        f"retrieval/{ties}",
        f"R@{ks[0]}",
        recalls[ks[0]],
        values={**{f"R@{k}": float(recalls[k].mean()) for k in ks[1:]}, "median_rank": float(np.median(rank)) + 1},
    )


def _first_rank(similarity: NDArray[np.floating], relevant: NDArray[np.bool_], ties: str) -> Floats:
    """How many irrelevant candidates come before the best relevant one."""
    best = np.where(relevant, similarity, -np.inf).max(axis=1, keepdims=True)
    before = similarity >= best if ties == "pessimistic" else similarity > best
    return np.asarray((before & ~relevant).sum(axis=1), dtype=np.float64)
