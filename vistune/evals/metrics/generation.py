"""Scores of generated images, from features that the caller computed: CLIPScore, RefCLIPScore and FID.

The numbers depend on whose features these are (CLIP ViT-B/32 with the prompt "A photo depicts "; the Inception weights and
the resizing of clean-fid or torch-fidelity); say which with the number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.evals.result import Floats, Result

CLIP_WEIGHT = 2.5


def clip_score(images: NDArray[np.floating], captions: NDArray[np.floating]) -> Result:
    """Mean of 2.5 max(cos, 0) of image and caption features `[N, D]` (Hessel et al., CLIPScore, EMNLP 2021)."""
    return Result.mean("clipscore", "CLIPScore", _clip(images, captions), unit="")


def ref_clip_score(
    images: NDArray[np.floating], captions: NDArray[np.floating], references: list[NDArray[np.floating]]
) -> Result:
    """Harmonic mean of CLIPScore and the best max(cos, 0) with the references' features (`[R_i, D]` for image i)."""
    alone, unit = _clip(images, captions), _unit(captions, "caption")
    best = np.array(
        [max(0.0, float((_unit(group, "reference") @ row).max())) for group, row in zip(references, unit, strict=True)]
    )
    total = alone + best
    harmonic = np.divide(2 * alone * best, total, out=np.zeros(len(total)), where=total > 0)
    return Result.mean("refclipscore", "RefCLIPScore", harmonic, unit="")


def _clip(images: NDArray[np.floating], captions: NDArray[np.floating]) -> Floats:
    if images.shape != captions.shape:
        raise InputError(f"image features {images.shape} and caption features {captions.shape} are not pairs")
    cosine = (_unit(images, "image") * _unit(captions, "caption")).sum(axis=1)
    return np.asarray(CLIP_WEIGHT * np.maximum(cosine, 0.0))


def _unit(features: NDArray[np.floating], what: str) -> Floats:
    features = np.asarray(features, dtype=np.float64)
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    # A zero vector has no direction; a cosine with it would be a NaN that spoils the mean of all.
    bad = ~np.isfinite(norms[:, 0]) | (norms[:, 0] == 0)
    if bad.any():
        raise InputError(f"{what} feature {int(np.flatnonzero(bad)[0])} is zero or not finite")
    return np.asarray(features / norms)


def frechet_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """FID (Heusel et al., 2017) of two sets of features `[N, D]`: a distance of sets, so no item has a score of its own.

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), covariances unbiased. Raises `InputError` for fewer than two features a set.
    """
    sets = [np.asarray(features, dtype=np.float64) for features in (first, second)]
    for features in sets:
        if features.ndim != 2 or len(features) < 2 or features.shape[1] != sets[0].shape[1] or not np.isfinite(features).all():
            raise InputError(f"FID needs two sets of at least 2 finite features [N, D] of one width, not {features.shape}")
    means = [features.mean(axis=0) for features in sets]
    covariances = [np.atleast_2d(np.cov(features, rowvar=False)) for features in sets]
    # tr (S1 S2)^(1/2) is the sum of the roots of the eigenvalues of the symmetric S1^(1/2) S2 S1^(1/2).
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ covariances[1] @ root), 0)).sum()
    return float(((means[0] - means[1]) ** 2).sum() + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * cross)
