from __future__ import annotations

import math

import numpy as np
import pytest

from vistune.evals.result import Result, ratio, resampled_weights


def test_mean_result_and_its_interval() -> None:
    result = Result.mean("rule", "accuracy", [100.0] * 60 + [0.0] * 40)
    low, high = result.interval()
    assert result.headline == 60
    # The normal interval of a proportion .6 of 100 is 50.4 to 69.6.
    assert low == pytest.approx(50.4, abs=1.5)
    assert high == pytest.approx(69.6, abs=1.5)
    assert result.interval() == (low, high)


def test_unit_weights_give_the_headline() -> None:
    statistic = ratio(np.array([1.0, 2.0]), np.array([2.0, 4.0]), scale=100)
    assert statistic(np.ones((1, 2))) == pytest.approx([50.0])


def test_clusters_are_drawn_whole_and_widen_the_interval() -> None:
    groups = np.repeat(np.arange(10), 10)
    for weights in resampled_weights(groups, 50, seed=1):
        assert (weights.reshape(-1, 10, 10) == weights.reshape(-1, 10, 10)[:, :, :1]).all()
        assert (weights.sum(axis=1) == 100).all()
    scores = np.repeat([0.0, 100.0], 50)
    alone, clustered = Result.mean("r", "a", scores), Result.mean("r", "a", scores, clusters=groups)
    assert clustered.interval()[1] - clustered.interval()[0] > 2 * (alone.interval()[1] - alone.interval()[0])


def test_nothing_scored_is_nan_and_null_in_json() -> None:
    result = Result.mean("r", "a", [])
    assert math.isnan(result.headline)
    record = result.to_json()
    assert record["values"] == {"a": None}
    assert record["interval"]["low"] is None
