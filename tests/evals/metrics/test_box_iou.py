from __future__ import annotations

import math

import pytest

from vistune.evals.metrics.box_iou import box_accuracy, box_iou

HALF = ((0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 1.0, 0.5))


def test_iou_by_hand() -> None:
    assert box_iou((0, 0, 2, 2), (1, 1, 3, 3)) == pytest.approx(1 / 7)
    assert box_iou((0, 0, 1, 1), (1, 1, 2, 2)) == 0
    # Inclusive pixels: 2x2 and 2x2 sharing one pixel.
    assert box_iou((0, 0, 1, 1), (1, 1, 2, 2), pixels="inclusive") == pytest.approx(1 / 7)


def test_threshold_conventions_differ_at_exactly_one_half() -> None:
    assert box_accuracy([HALF[0]], [HALF[1]]).headline == 0
    assert box_accuracy([HALF[0]], [HALF[1]], comparison=">=").headline == 100


def test_missing_and_malformed_boxes_are_wrong_and_counted_apart() -> None:
    truth = (0.0, 0.0, 1.0, 1.0)
    result = box_accuracy([truth, None, (math.nan, 0, 1, 1), (1, 1, 0, 0), (0, 0, math.inf, 1)], [truth] * 5)
    assert result.headline == 20
    assert (result.missing, result.unparsed) == (1, 3)
    assert result.values["mean_iou"] == 20
    assert result.rule == "iou/continuous/>0.5"


def test_empty_boxes_do_not_divide_by_zero() -> None:
    assert box_iou((0, 0, 0, 0), (0, 0, 0, 0)) == 0
