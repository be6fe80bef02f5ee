"""gIoU, cIoU, mIoU and PQ by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.evals.metrics.panoptic import Panoptic, panoptic_quality
from vistune.evals.metrics.segmentation import mean_iou, referred_masks

FULL, HALF, NONE = np.ones((4, 4), bool), np.repeat([[True] * 4, [False] * 4], 2, axis=0), np.zeros((4, 4), bool)


def test_giou_is_a_mean_of_images_and_ciou_of_pixels() -> None:
    result = referred_masks([HALF, NONE, None], [FULL, NONE, HALF])
    assert result.items.tolist() == [50, 100, 0]  # two empty masks agree; a missing one does not
    assert result.headline == 50
    assert result.values["cIoU"] == pytest.approx(100 * 8 / (16 + 8))
    assert result.values["acc@0.5"] == pytest.approx(100 / 3)
    assert result.missing == 1
    other = referred_masks([HALF, NONE, None], [FULL, NONE, HALF], headline="cIoU")
    assert other.name == "cIoU"
    assert other.statistic(np.ones((1, 3)))[0] == pytest.approx(other.headline)


def test_masks_of_another_size_are_refused() -> None:
    with pytest.raises(InputError, match=r"mask 0 is \(4, 4\), its reference \(2, 2\)"):
        referred_masks([FULL], [FULL[:2, :2]])


def test_miou_sums_confusions_and_ignores_void() -> None:
    truth = np.array([[0, 0, 1, 255]])
    result = mean_iou([np.array([[0, 1, 1, 0]]), None], [truth, truth], classes=3)
    # Class 0: 1 shared of 2 + 2 true and 1 said; class 1: 1 shared of 2 true and 2 said; class 2 occurs nowhere.
    assert result.headline == pytest.approx(100 * (1 / 4 + 1 / 3) / 2)
    assert result.items.tolist() == [pytest.approx(200 / 3), 0]
    assert result.missing == 1


def test_miou_refuses_a_reference_out_of_range_but_not_a_prediction() -> None:
    with pytest.raises(InputError, match=r"class outside 0\.\.1"):
        mean_iou([np.array([[0]])], [np.array([[2]])], classes=2)
    assert mean_iou([np.array([[9]])], [np.array([[0]])], classes=2).headline == 0


def test_panoptic_quality_by_hand() -> None:
    truth = Panoptic(np.array([[1, 1, 1, 2], [1, 1, 1, 2], [0, 0, 0, 0]]), {1: 7, 2: 8})
    guess = Panoptic(np.array([[5, 5, 5, 6], [5, 5, 6, 6], [5, 5, 9, 9]]), {5: 7, 6: 9, 9: 8})
    result = panoptic_quality([guess], [truth], things=frozenset({7}))
    # Category 7: 5 shared of 6 + 7 - 5, two void pixels taken out: 5/6. Category 8: missed, and its prediction is all void.
    # Category 9: a false positive.
    assert result.headline == pytest.approx(100 * (5 / 6) / 3)
    assert result.values["PQ_things"] == pytest.approx(100 * 5 / 6)
    assert result.values["PQ_stuff"] == 0
    assert result.values["RQ"] == pytest.approx(100 / 3)
    assert result.statistic(np.ones((1, 1)))[0] == pytest.approx(result.headline)


def test_panoptic_perfect_crowd_and_missing() -> None:
    truth = Panoptic(np.array([[1, 1, 2, 2]]), {1: 7, 2: 7}, frozenset({2}))
    assert panoptic_quality([Panoptic(truth.segments, truth.categories)], [truth]).headline == 100
    missing = panoptic_quality([None], [truth])
    assert (missing.headline, missing.missing) == (0, 1)
    with pytest.raises(InputError, match="segment 3 has no category"):
        panoptic_quality([Panoptic(np.array([[3, 3, 3, 3]]), {})], [truth])
