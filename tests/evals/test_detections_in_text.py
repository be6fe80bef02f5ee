from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli_calls import called
from vistune.errors import InputError
from vistune.evals.metrics.lvis_ap import lvis_ap
from vistune.evals.prediction import Prediction
from vistune.evals.reading.detections_in_text import NUMBER, read_detections
from vistune.evals.score import open_benchmark, score

FIXTURES = Path(__file__).parent / "fixtures"
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


def test_numbers_as_models_write_them() -> None:
    (record,) = read_detections("cat: [.1, 2e-1, .5, 9E-1]", CATEGORIES, (100, 100))
    assert [round(value, 6) for value in record["bbox"]] == [10, 20, 40, 70]
    assert NUMBER.findall("[0.1.0.2, 1., -.5]") == ["0.1", "0.2", "1", "-.5"]


@pytest.mark.parametrize("kind", ["coco_detection", "lvis"])
def test_detections_that_are_no_list_of_objects_are_named(kind: str) -> None:
    bench = open_benchmark(kind)
    samples = bench.read(str(FIXTURES / kind))
    for wrong in (5, [5], None):
        with pytest.raises(InputError, match="the extra 'detections' holds"):
            score(bench, [Prediction(samples[0].id, "", extras={"detections": wrong})], samples)


def test_coco_reads_what_a_model_wrote_and_counts_what_it_cannot() -> None:
    pytest.importorskip("pycocotools", reason="needs the extra 'coco'")
    bench = open_benchmark({"kind": "coco_detection", "scale": 1000})
    first, second = bench.read(str(FIXTURES / "coco_detection"))
    names = {category["id"]: category["name"] for category in first.meta["categories"]}
    size = first.meta["image"]["width"], first.meta["image"]["height"]
    lines = []
    for record in first.meta["annotations"]:
        x, y, w, h = record["bbox"]
        box = [1000 * x / size[0], 1000 * y / size[1], 1000 * (x + w) / size[0], 1000 * (y + h) / size[1]]
        lines.append(f"{names[record['category_id']]}: {box}")
    result = score(
        bench, [Prediction(first.id, "\n".join(lines)), Prediction(second.id, "nothing that I know")], [first, second]
    )
    assert result.items[0] == 1 and result.headline > 0
    assert result.unparsed == 1


SCALED = {
    "ref_coco_comprehension": ("[0.16, 0.7, 0.37, 1.0]", "[160, 700, 370, 1000]"),
    "coco_detection": ("person: [0.1, 0.2, 0.5, 0.9]", "person: [100, 200, 500, 900]"),
    "lvis": ("person: [0.1, 0.2, 0.5, 0.9]", "person: [100, 200, 500, 900]"),
    "voc_detection": ("person: [0.1, 0.2, 0.5, 0.9]", "person: [100, 200, 500, 900]"),
}


@pytest.mark.parametrize("name", SCALED)
def test_a_forgotten_scale_is_noticed(name: str, tmp_path: Path) -> None:
    shares, thousandths = SCALED[name]
    source = FIXTURES / name
    ids = [sample.id for sample in open_benchmark({"kind": name}).read(str(source))]

    def told(answer: str, *more: str) -> str:
        file = tmp_path / "answers.jsonl"
        file.write_text("".join(json.dumps({"id": each, "answer": answer}) + "\n" for each in ids))
        done = called("score", name, file, "--annotations", source, *more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "scale" not in told(shares) and "scale" not in told(thousandths, "--set", "scale=1000")
    assert f"{len(ids)} of {len(ids)} boxes reach beyond scale 1: is it another, as 100 or 1000" in told(thousandths)
    assert "no box reaches a hundredth of scale 1000" in told(shares, "--set", "scale=1000")
