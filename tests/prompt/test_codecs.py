"""Coordinates as text: published strings, and round trips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistune.errors import InputError
from vistune.prompt.codec import Codec
from vistune.sample import Region
from vistune.spec import build

FOLDER = "vistune.prompt.codecs"
QWEN = {"kind": "integers", "box": "({x1},{y1}),({x2},{y2})", "point": "({x},{y})", "scale": 1000, "top": 999}
FERRET = {"kind": "integers", "box": "[{x1}, {y1}, {x2}, {y2}]", "point": "[{x}, {y}]", "scale": 1000}
CODECS = {
    "decimals": ("decimals", 0.0005),
    "two decimals": ({"kind": "decimals", "places": 2}, 0.005),
    "percent": ("integers", 0.01),
    "qwen": (QWEN, 0.001001),
    "ferret": (FERRET, 0.001001),
    "tokens": ({"kind": "location_tokens", "bins": 64}, 1 / 128),
}


def made(name: str) -> tuple[Codec, float]:
    spec, precision = CODECS[name]
    return build(FOLDER, spec, Codec), precision


@pytest.mark.parametrize(
    ("name", "box", "text"),
    [  # pixel boxes of published tables, normalised
        ("decimals", (0, 0, 1, 1), "[0.000,0.000,1.000,1.000]"),
        ("decimals", (0.291, 0.1455, 0.582, 0.4365), "[0.291,0.145,0.582,0.436]"),
        ("percent", (220 / 640, 113 / 480, 465 / 640, 254 / 480), "{<34><23><72><52>}"),
        ("percent", (0.29, 0.29, 0.57, 0.575), "{<28><28><56><57>}"),
        ("qwen", (0, 0, 1, 1), "(0,0),(999,999)"),
        ("ferret", (220 / 640, 113 / 480, 465 / 640, 254 / 480), "[343, 235, 726, 529]"),
        ("tokens", (0, 0.5, 0.25, 1), "<loc_0><loc_32><loc_16><loc_64>"),
    ],
)
def test_boxes_are_written_as_published(name: str, box: tuple[float, float, float, float], text: str) -> None:
    assert made(name)[0].encode(Region(box=box)) == text


edges = st.floats(0, 1).flatmap(lambda low: st.floats(low, 1).map(lambda high: (low, high)))


@pytest.mark.parametrize("name", CODECS)
@given(across=edges, down=edges, before=st.sampled_from(["", "the cat ", "[a] "]))
def test_what_is_written_is_read_back_to_the_precision(name: str, across, down, before: str) -> None:
    codec, precision = made(name)
    box = (across[0], down[0], across[1], down[1])
    text = before + codec.encode(Region(box=box)) + " and " + codec.encode(Region(point=(across[0], down[0])))
    first, second = codec.decode(text)
    half = precision * (1 + 1e-9)  # 0.875 lies just half-way, and floats a hair beyond
    assert first.box == pytest.approx(box, abs=half)
    assert second.point == pytest.approx((across[0], down[0]), abs=half)


@pytest.mark.parametrize("name", CODECS)
def test_text_without_coordinates_holds_none(name: str) -> None:
    assert made(name)[0].decode("no location, [1,2,3] {<a>} <loc_> (x,y)") == []


def test_inverted_and_outside_boxes_are_no_regions() -> None:
    codec = build(FOLDER, "decimals", Codec)
    assert codec.decode("[0.900,0.100,0.200,0.300] [0.100,0.100,1.200,0.300]") == []


def test_spaces_the_model_leaves_out_or_adds_after_commas_are_forgiven_where_the_pattern_has_them() -> None:
    assert build(FOLDER, FERRET, Codec).decode("[1,2,  3, 4]")[0].box == (0.001, 0.002, 0.003, 0.004)


def test_a_mask_cannot_be_written() -> None:
    import numpy as np

    with pytest.raises(InputError, match="a mask cannot be written as text"):
        build(FOLDER, "decimals", Codec).encode(Region(mask=np.ones((2, 2), dtype=bool)))


@pytest.mark.parametrize("name", ["percent", "qwen", "ferret"])
def test_endless_digits_are_no_region(name: str) -> None:
    codec, _ = made(name)
    assert codec.decode(codec.encode(Region(box=(0, 0, 0.5, 1))).replace("50", "9" * 5000)) == []
