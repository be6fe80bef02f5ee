from __future__ import annotations

from vistune.evals.detections_in_text import read_detections
from vistune.evals.metrics.lvis_ap import lvis_ap

CATEGORIES = {"aerosol_can": 1, "cat": 2, "bow_(weapon)": 3}


def test_names_and_boxes_in_order() -> None:
    answer = "Aerosol can: [0.1, 0.2, 0.5, 0.6]\ncat [0, 0, 1, 1]; bow (weapon): [0, 0, .5, .5]\nunicorn: [0, 0, 1, 1]"
    found = read_detections(answer, CATEGORIES, (100, 200))
    assert [(record["category_id"], [round(value, 6) for value in record["bbox"]]) for record in found[:2]] == [
        (1, [10, 40, 40, 80]),
        (2, [0, 0, 100, 200]),
    ]
    assert [record["score"] for record in found[:2]] == [1.0, 0.5]


def test_what_is_no_box_gives_nothing() -> None:
    for answer in (
        "",
        "cat",
        "cat: [1, 2, 3]",
        "cat: [0.9, 0, 0.1, 1]",
        "[0, 0, 1, 1]",
        "cat: [a, b, c, d]",
        "A" * 1_000_000,
        "[" * 100_000,
    ):
        assert read_detections(answer, CATEGORIES, (100, 100)) == []


def test_scale_of_coordinates() -> None:
    (record,) = read_detections("cat: [0, 0, 500, 1000]", CATEGORIES, (10, 10), scale=1000)
    assert record["bbox"] == [0, 0, 5, 10]


def truth() -> dict[str, object]:
    box = {"bbox": [10, 10, 100, 100], "area": 10_000, "iscrowd": 0, "segmentation": []}
    image = {"height": 400, "width": 400}
    return {
        "images": [
            {"id": 1, "neg_category_ids": [3], "not_exhaustive_category_ids": [2], **image},
            {"id": 2, "neg_category_ids": [], "not_exhaustive_category_ids": [], **image},
        ],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, **box},
            {"id": 2, "image_id": 1, "category_id": 2, **box},
            {"id": 3, "image_id": 2, "category_id": 1, **box},
        ],
        "categories": [{"id": number, "name": str(number), "frequency": often} for number, often in enumerate("frc", 1)],
    }


def found(category: int, x: float = 10, score: float = 0.9) -> dict[str, object]:
    return {"category_id": category, "bbox": [x, 10, 100, 100], "score": score}


def test_federated_annotation() -> None:
    perfect = [[found(1), found(2)], [found(1)]]
    assert lvis_ap(perfect, [1, 2], truth()).values["AP"] == 1.0
    # Category 2 is not exhaustively annotated in image 1, category 3 was never looked for in image 2: neither counts.
    forgiven = [[found(1), found(2), found(2, 250, 0.95)], [found(1), found(3, 250, 0.95)]]
    assert lvis_ap(forgiven, [1, 2], truth()).values["AP"] == 1.0
    # A second detection of category 1 in image 2 is simply wrong.
    wrong = lvis_ap([perfect[0], [found(1, 250, 0.95), found(1)]], [1, 2], truth())
    assert 0 < wrong.values["APf"] < 1 == wrong.values["APr"]
    assert wrong.items.tolist() == [1.0, 2 / 3]


def test_missing_and_nothing() -> None:
    result = lvis_ap([None, []], [1, 2], truth())
    assert (result.headline, result.missing, result.items.tolist()) == (0.0, 1, [0.0, 0.0])
