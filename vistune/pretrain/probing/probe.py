"""A linear probe: how well a linear classifier on frozen features names what was not seen in training."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

REGULARISATION = 1.0  # `C` of the logistic regression, on features of unit variance


def linear_probe(
    train: NDArray[np.float32], train_labels: ArrayLike, test: NDArray[np.float32], test_labels: ArrayLike
) -> float:
    """Accuracy on `test [M, D]` of a logistic regression fitted to `train [N, D]`, each feature scaled by training's spread."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=REGULARISATION, max_iter=500))
    model.fit(train, train_labels)
    return float(model.score(test, test_labels))
