"""COCO's annotations find their image, whatever its id is and however the file is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vistune.data.samples import read


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
