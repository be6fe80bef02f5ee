"""COCO's annotations find their image, whatever its id is and however the file is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vistune.data.fields.regions.coco_masks import instance_mask
from vistune.data.samples import read
from vistune.errors import InputError
from vistune.sample import Region


@pytest.mark.parametrize("identity", ["é", 'a "b"', "a\\b", "7"])
def test_ids_with_escapes_find_their_image(tmp_path: Path, identity: str) -> None:
    value = {
        "images": [{"id": name, "file_name": "a.png", "width": 20, "height": 20} for name in ("other", identity)],
        "annotations": [{"id": 1, "image_id": identity, "category_id": 1, "bbox": [0, 0, 5, 10]}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (tmp_path / "x.json").write_text(json.dumps(value))
    data = read(f"coco:{tmp_path}/x.json")
    assert [(one.id, [region.box for region in one.regions]) for one in data] == [
        ("other", []),
        (identity, [(0, 0, 0.25, 0.5)]),
    ]


def test_a_question_for_each_instance_leaves_out_images_of_none_and_of_crowds_alone(tmp_path: Path) -> None:
    boxes = [(1, 0), (1, 0), (2, 1)]
    value = {
        "images": [{"id": name, "file_name": "a.png", "width": 20, "height": 20} for name in (1, 2, 3)],
        "annotations": [
            {"id": number, "image_id": image, "category_id": 1, "bbox": [number, 0, 5, 10], "iscrowd": crowd}
            for number, (image, crowd) in enumerate(boxes)
        ],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (tmp_path / "x.json").write_text(json.dumps(value))
    (only,) = read(f"coco:{tmp_path}/x.json?ask=describe")
    assert only.id == "1" and [turn.text for turn in only.turns] == ["What is at ?", "cat"] * 2
    assert [part.bounds() for turn in only.turns for part in turn.parts if isinstance(part, Region)] == [
        (0, 0, 0.25, 0.5),
        (0.05, 0, 0.3, 0.5),
    ]
    with pytest.raises(InputError, match="ask='describe' is a question for each instance"):
        read(f"coco:{tmp_path}/x.json?ask=describe&task=captions")


@pytest.mark.parametrize("value", [1e308, -21, 10**12, 41])
def test_an_outline_far_outside_its_picture_is_refused_before_memory_is_asked_for(value: float) -> None:
    outline = [0, 0, 5, 0, 5, 5]
    assert instance_mask([outline], (20, 20), "x").any()
    assert instance_mask([[-3, 0, 25, 0, 25, 5]], (20, 20), "x")[0].all(), "outlines may reach over the edge"
    with pytest.raises(InputError, match="far outside the 20x20 picture"):
        instance_mask([[*outline[:4], value, 5]], (20, 20), "x")
