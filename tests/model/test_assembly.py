"""Who reads what: routes of a spec, their order, and one sentence for each that cannot be; where points and pictures lie."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from vistune.errors import InputError
from vistune.model.answering.columns import ROOM, Columns
from vistune.model.assembly import build_heads, routes, seen_width
from vistune.model.connectors._sincos import interleaved, line, raster
from vistune.model.features import Features, Geometry, Layout, Tiling, joined
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel


def spec(**told: Any) -> ModelSpec:
    return ModelSpec(**({"llm": "x", "vision": "huggingface", "connector": "mlp"} | told))


def test_media_are_read_before_regions() -> None:
    made = spec(
        parts={"roi": "multi_level_roi"}, modalities={"box": ["roi"], "video": {"chain": ["vision", "connector"], "frames": 2}}
    )
    assert {kind: route.chain for kind, route in routes(made).items()} == {
        "image": ("vision", "connector"), "video": ("vision", "connector"), "box": ("roi",)
    }  # fmt: skip
    assert list(routes(made)) == ["image", "video", "box"] and routes(made)["video"].settings == {"frames": 2}
    assert routes(made)["box"].settings == {}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"connector": None}, "model.vision needs model.connector"),
        ({"parts": {"llm": "mlp"}}, "model.parts.llm: a part has a name of its own"),
        ({"parts": {"vision": "mlp"}}, "model.parts.vision: a part has a name of its own"),
        ({"parts": {"Roi": "mlp"}}, "model.parts.Roi: a part has a name of its own"),
        ({"parts": {"spare": "mlp"}}, "model.parts.spare is used by no modality"),
        ({"modalities": {"smell": ["vision"]}}, "has no kind 'smell'"),
        ({"modalities": {"video": ["vision", "conector"]}}, "names the part 'conector', which is not there.*connector"),
        ({"modalities": {"video": []}}, "video names 0 parts, expected an encoder and the connectors behind it"),
        ({"modalities": {"box": []}}, "box names 0 parts, expected one part, a region encoder"),
        ({"modalities": {"box": ["a", "b"]}}, "box names 2 parts, expected one part, a region encoder"),
        ({"modalities": {"video": "vision"}}, "video is 'vision', expected a list of part names"),
        ({"modalities": {"video": [1]}}, "expected a list of part names"),
        ({"modalities": {"video": {"frames": 2}}}, "expected a list of part names"),
    ],
)
def test_routes_that_cannot_be(told: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        routes(spec(**told))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"modalities": {"video": ["vision", "vision"]}}, "names 'vision' behind its encoder, which is no connector"),
        (
            {"parts": {"wide": {"kind": "mlp", "out_width": 8}}, "modalities": {"video": ["vision", "wide"]}},
            "ends 8 wide, but 32",
        ),
        ({"modalities": {"audio": ["vision", "connector"]}}, "audio begins with 'vision', which reads image"),
    ],
)
def test_parts_in_places_that_are_not_theirs(tiny_spec: dict[str, Any], told: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        VisionLanguageModel(ModelSpec.from_json(tiny_spec | told))


def test_heads_have_names_of_small_letters() -> None:
    with pytest.raises(InputError, match=r"model\.heads\.Mask: a head's name is small letters"):
        build_heads(spec(heads={"Mask": "promptable_mask"}), 4, 4, False)
    assert seen_width({}, {}) == 0


@pytest.mark.parametrize("point", [(0.0, 0.0), (0.25, 0.5), (1.0, 1.0)])
def test_points_go_to_the_input_and_back(point: tuple[float, float]) -> None:
    geometry = Geometry((2.0, 0.5), (-0.5, 0.25))
    there = geometry.to_input(point)
    assert there == pytest.approx((2 * point[0] - 0.5, 0.5 * point[1] + 0.25))
    assert geometry.to_original(there) == pytest.approx(point) and Geometry().to_input(point) == point


def test_boxes_are_cut_off_where_they_leave_the_input() -> None:
    geometry = Geometry((2.0, 0.5), (-0.5, 0.25))
    assert geometry.box_to_input((0.0, 0.0, 1.0, 1.0)) == pytest.approx((0.0, 0.25, 1.0, 0.75))
    assert geometry.box_to_input((0.3, 0.2, 0.6, 0.4)) == pytest.approx((0.1, 0.35, 0.7, 0.45))


@pytest.mark.parametrize(
    ("size", "rows", "columns"),
    [
        ((100, 100), (0, 4), (0, 4)),
        ((200, 100), (1, 3), (0, 4)),  # wide: a quarter of the canvas is padding above, another below
        ((100, 200), (0, 4), (1, 3)),
        ((400, 300), (0, 4), (0, 4)),  # three of four rows: the odd one stays
    ],
)
def test_content_of_tiles_is_the_picture(size: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]) -> None:
    tiling = Tiling(2, 2, size)
    assert tiling.content((2, 2)) == (slice(*rows), slice(*columns)) and tiling.inputs == 5
    assert Layout(7, inputs=3).total == 21 and (Layout(7).inputs, Layout(7).grid, Layout(7).tiling) == (1, None, None)


def test_features_are_split_and_joined_again() -> None:
    x = torch.arange(24.0).view(3, 4, 2)
    whole = Features(x, (2, 2), x[:, 0], {1: x + 1})
    first, last = whole.split([1, 2])
    assert first.x.equal(x[:1]) and last.x.equal(x[1:]) and last.grid == (2, 2) and last.pooled is not None
    assert last.pooled.equal(x[1:, 0]) and last.layers is not None and last.layers[1].equal(x[1:] + 1)
    again = joined([first, last])
    assert again.x.equal(x) and again.pooled is not None and again.pooled.equal(x[:, 0]) and again.layers is not None
    assert again.layers[1].equal(x + 1) and again.shape == whole.shape
    assert joined([first]) is first and Features(x).split([3])[0].layers is None and joined([Features(x)] * 2).pooled is None
    shapes = {each.shape for each in (whole, Features(x), Features(x, (2, 2)), Features(x[:2]), Features(x[:, :2]))}
    assert len(shapes) == 4  # the number of inputs is none of a shape


def test_tables_of_sines_by_hand() -> None:
    # Width 4: frequencies 1 and 1/100.
    assert line(torch.tensor([2]), 4).tolist()[0] == pytest.approx([math.sin(2), math.sin(0.02), math.cos(2), math.cos(0.02)])
    assert interleaved(2, 4)[1].tolist() == pytest.approx([math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)])
    assert interleaved(2, 4)[0].tolist() == [0, 1, 0, 1] and interleaved(3, 4).shape == (3, 4)
    assert interleaved(2, 4, power=0.5)[1].tolist()[2:] == pytest.approx([math.sin(0.1), math.cos(0.1)])
    table = raster((2, 3), 8, torch.device("cpu"))
    assert table.shape == (6, 8)
    for row in range(2):
        for column in range(3):
            assert table[3 * row + column, :4].equal(line(torch.tensor([column]), 4)[0])
            assert table[3 * row + column, 4:].equal(line(torch.tensor([row]), 4)[0])


def test_columns_grow_by_their_room_and_keep_what_was_written() -> None:
    start = torch.randn(2, 3, 5, 4)
    columns = Columns(start, -start)
    assert columns.bytes == 2 * start.numel() * 4
    written = [start]
    for step in range(ROOM + 2):
        new = torch.full((2, 3, 1, 4), float(step))
        written.append(new)
        keys, values = columns.update(new, -new)
        assert keys.shape[2] == 6 + step and keys.equal(torch.cat(written, dim=2)) and values.equal(-keys)
        # Room for 64 more behind the first new column, then again.
        held = 6 + ROOM if step <= ROOM else 6 + ROOM + 1 + ROOM
        assert columns.bytes == 2 * 2 * 3 * held * 4 * 4
