"""Boxes in text: written, found again, refused when they are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistune.construction.boxes import BoxError, Notation, NotationName, overlap
from vistune.sample import Box

NOTATIONS = {
    "unit": (Notation("unit"), 0.0006),
    "thousandths": (Notation("thousandths"), 0.0021),
    "square": (Notation("unit", (200, 100), square=True), 0.0011),
    "pixels": (Notation("pixels", (640, 480)), 1.1 / 480),
}
edges = st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True).map(sorted).filter(lambda pair: pair[1] - pair[0] > 0.02)


@pytest.mark.parametrize("name", NOTATIONS)
@given(across=edges, down=edges)
def test_a_written_box_is_found_again(name: str, across: list[float], down: list[float]):
    notation, precision = NOTATIONS[name]
    box: Box = (across[0], down[0], across[1], down[1])
    ((start, end, found),) = notation.find(f"a dog {notation.write(box)} runs")
    assert (start, f"a dog {notation.write(box)} runs"[end:]) == (6, " runs")
    assert found == pytest.approx(box, abs=precision)


@pytest.mark.parametrize(
    ("name", "box", "text"),
    [
        ("unit", (0.1, 0.2, 0.3, 0.4), "[0.100,0.200,0.300,0.400]"),
        ("thousandths", (0.0, 0.25, 0.5, 1.0), "[0, 250, 500, 999]"),
        ("square", (0.0, 0.0, 1.0, 1.0), "[0.000,0.250,1.000,0.750]"),
        ("pixels", (0.25, 0.5, 0.5, 0.75), "X: 160 Y: 240 Width: 160 Height: 120"),
    ],
)
def test_texts(name: str, box: Box, text: str):
    assert NOTATIONS[name][0].write(box) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("unit", "[0.5,0.1,0.4,0.9]"),
        ("unit", "[0.1,0.1,1.4,0.9]"),
        ("unit", "[-0.1,0.1,0.4,0.9]"),
        ("unit", "[120,40,200,90]"),
        ("thousandths", "[10, 10, 1200, 40]"),
        ("pixels", "X: 600 Y: 10 Width: 90 Height: 10"),
        ("square", "[0.000,0.000,1.000,0.500]"),
    ],
)
def test_what_is_no_box_in_the_picture_is_refused(name: str, text: str):
    with pytest.raises(BoxError, match="is not a box inside the picture"):
        list(NOTATIONS[name][0].find(text))


@pytest.mark.parametrize("text", ["no box", "[0.1,0.2,0.3]", "[a, b, c, d]", "(0.1,0.2,0.3,0.4)"])
def test_what_does_not_look_like_a_box_is_text(text: str):
    names: tuple[NotationName, ...] = ("unit", "thousandths")
    assert all(not list(Notation(name).find(text)) for name in names)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("unit", "[1,2] [ 0.1 ,0.2,\n0.3, 1] [0,0,1,1]", [(6, 25, (0.1, 0.2, 0.3, 1.0)), (26, 35, (0.0, 0.0, 1.0, 1.0))]),
        ("thousandths", "at[1,2,  30,40 ].", [(2, 16, (0.001, 0.002, 0.03, 0.04))]),
        ("pixels", "X:64Y: 48 Width:\t64 Height: 48.0px", [(0, 32, (0.1, 0.1, 0.2, 0.2))]),
    ],
)
def test_boxes_are_found_however_they_are_spaced(name: str, text: str, found: list[tuple[int, int, Box]]):
    assert list(NOTATIONS[name][0].find(text)) == [(start, end, pytest.approx(box)) for start, end, box in found]


@pytest.mark.parametrize("name", ["unit", "thousandths"])
def test_endless_digits_are_no_box(name: str):
    with pytest.raises(BoxError):
        list(NOTATIONS[name][0].find(f"[0,0,{'9' * 5000},1]"))


def test_overlap():
    assert overlap((0, 0, 0.5, 1), (0.25, 0, 0.75, 1)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 0.5, 1), (0.5, 0, 1, 1)) == 0
