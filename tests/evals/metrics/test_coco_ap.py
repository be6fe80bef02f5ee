from __future__ import annotations

import math

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.evals.metrics.coco_ap import coco_ap

pytest.importorskip("pycocotools", reason="needs the extra 'coco'")

CATEGORIES = [{"id": 3, "name": "cat"}, {"id": 5, "name": "dog"}]


def annotations(*objects: tuple[int, int, list[float]]) -> dict[str, object]:
    records = [
        {"id": number, "image_id": image, "category_id": category, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        for number, (image, category, box) in enumerate(objects, 1)
    ]
    images = [{"id": image, "width": 100, "height": 100} for image in sorted({image for image, _, _ in objects})]
    return {"images": images, "annotations": records, "categories": CATEGORIES}


def found(category: int, box: list[float], score: float) -> dict[str, object]:
    return {"category_id": category, "bbox": box, "score": score}


TRUTH = annotations((9, 3, [10, 10, 40, 40]), (4, 3, [0, 0, 50, 50]), (4, 5, [50, 50, 20, 20]))


def test_perfect_missing_and_wrong() -> None:
    perfect = {9: [found(3, [10, 10, 40, 40], 0.9)], 4: [found(3, [0, 0, 50, 50], 0.8), found(5, [50, 50, 20, 20], 0.7)]}
    result = coco_ap([perfect[9], perfect[4]], [9, 4], TRUTH)
    assert result.headline == pytest.approx(1)
    assert result.items.tolist() == [1, 1]
    half = coco_ap([None, perfect[4]], [9, 4], TRUTH)
    # Cats: one of two found gives precision 1 up to recall .5, that is 51 of 101 points; dogs: all.
    assert half.headline == pytest.approx((51 / 101 + 1) / 2)
    assert half.items.tolist() == [0, 1]
    assert half.missing == 1
    assert coco_ap([None, None], [9, 4], TRUTH).headline == 0


def test_weights_of_one_give_pycocotools_number_and_weights_repeat_images() -> None:
    generator = np.random.default_rng(0)
    objects = [(image, int(generator.choice([3, 5])), [10.0 * k, 5.0, 30.0, 40.0]) for image in range(1, 9) for k in range(3)]
    truth = annotations(*objects)
    detections = [
        [
            found(category, [box[0] + float(generator.normal(0, 6)), *box[1:]], float(generator.random()))
            for owner, category, box in objects
            if owner == image
        ]
        for image in range(1, 9)
    ]
    result = coco_ap(detections, range(1, 9), truth)
    assert result.statistic(np.ones((1, 8)))[0] == pytest.approx(result.headline, abs=1e-12)
    low, high = result.interval(resamples=50)
    assert low < result.headline < high
    twice = annotations(*objects, *[(image + 100, category, box) for image, category, box in objects if image == 1])
    repeated = coco_ap([*detections, detections[0]], [*range(1, 9), 101], twice)
    assert result.statistic(np.array([[2.0] + [1.0] * 7]))[0] == pytest.approx(repeated.headline, abs=1e-9)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"bbox": [0, 0, 1, 1], "score": 1}, "lacks 'category_id'"),
        (found(3, [0, 0, math.nan, 1], 1), "the box"),
        (found(3, [0, 0, -1, 1], 1), "the box"),
        (found(3, [0, 0, 1], 1), "the box"),
        (found(3, [0, 0, 1, 1], math.nan), "the score nan"),
        ({"category_id": [3], "bbox": [0, 0, 1, 1], "score": 1}, "the category_id [3]"),
    ],
)
def test_malformed_detections_are_located(record: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match="image 9") as error:
        coco_ap([[record], None], [9, 4], TRUTH)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "mask", [5, [], [[1, 2]], [["a"] * 6], {"size": [100, 100], "counts": [1, 2]}, {"size": 3, "counts": ""}]
)
def test_masks_that_are_no_run_lengths_are_located(mask: object) -> None:
    with pytest.raises(InputError, match=r"image 9 has the segmentation .* expected compressed run lengths"):
        coco_ap([[{"category_id": 3, "score": 1, "segmentation": mask}], None], [9, 4], TRUTH, "segm")
