"""`Sample` refuses what cannot be, and goes to JSON and back unchanged."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistune.errors import InputError
from vistune.sample import Media, MediaRef, Produce, Region, Sample, Text, Turn

edges = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)
boxes = st.tuples(edges, edges).map(lambda pair: (pair[0][0], pair[1][0], pair[0][1], pair[1][1]))
labels = st.none() | st.text(max_size=5)
masks = st.integers(0, 2**12 - 1).map(
    lambda bits: np.array([bits >> place & 1 for place in range(12)], dtype=bool).reshape(3, 4)
)
regions = st.one_of(
    st.builds(Region, box=boxes, label=labels),
    st.builds(Region, point=st.tuples(st.floats(0, 1), st.floats(0, 1)), label=labels),
    st.builds(Region, mask=masks, label=labels),
)
media = st.one_of(
    st.builds(Media.file, st.sampled_from(["image", "video", "audio", "points"]), st.text(min_size=1, max_size=8)),
    st.builds(lambda data: Media("image", data=data), st.binary(max_size=8)),
    st.builds(lambda value: Media("image", data=np.full((2, 3, 3), value, dtype=np.uint8)), st.integers(0, 255)),
    st.builds(lambda start: Media("image", path="a.tar", offset=start, length=7), st.integers(0, 2**40)),
)
parts = st.one_of(st.builds(Text, st.text(max_size=8)), regions, st.just(MediaRef(0)), st.just(Produce(0)))
turns = st.builds(Turn, st.sampled_from(["system", "user", "assistant"]), st.lists(parts, max_size=3).map(tuple), st.booleans())
samples = st.builds(
    Sample,
    id=st.text(min_size=1, max_size=5),
    media=st.lists(media, min_size=1, max_size=2).map(tuple),
    turns=st.lists(turns, max_size=3).map(tuple),
    regions=st.lists(regions, max_size=2).map(tuple),
    answers=st.lists(st.text(max_size=4), max_size=2).map(tuple),
    choices=st.lists(st.text(max_size=4), max_size=2).map(tuple),
    meta=st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@given(sample=samples)
def test_json_and_back_is_the_same_sample(sample: Sample) -> None:
    assert Sample.from_json(json.loads(json.dumps(sample.to_json()))) == sample


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: Region(box=(0.5, 0, 0.2, 1)), "is not xyxy within"),
        (lambda: Region(box=(0, 0, float("nan"), 1)), "is not xyxy within"),
        (lambda: Region(point=(0.5, 1.1)), "is not within"),
        (lambda: Region(), "exactly one of box, point or mask"),
        (lambda: Region(mask=np.ones(3, dtype=bool)), "a mask is"),
        (lambda: Media("image"), "either a path or data"),
        (lambda: Media("picture", path="a"), "media kind 'picture' is unknown"),
        (lambda: Media("image", path="a", offset=3), "both offset and length"),
        (lambda: Sample("7", turns=(Turn("user", (MediaRef(0),)),)), "sample '7': refers to medium 0, but has 0"),
        (lambda: Sample("7", turns=(Turn("human", ()),)), "role 'human' is unknown"),
        (lambda: Region(mask=np.zeros((2, 2), dtype=bool)).bounds(), "an empty mask has no bounds"),
    ],
)
def test_what_cannot_be_is_refused(build: Any, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        build()


@pytest.mark.parametrize(
    "change",
    [
        {"id": 7},
        {"turns": [{"role": "user"}]},
        {"turns": [{"role": "user", "content": [{"txt": "a"}]}]},
        {"turns": [{"role": "user", "content": [{"text": 3}]}]},
        {"turns": [{"role": "user", "content": [{"box": [0, 0, 1]}]}]},
        {"turns": [{"role": "user", "content": [{"box": [0, 0, 1, 1, 1]}]}]},
        {"turns": [{"role": "user", "content": [], "train": "yes"}]},
        {"turns": [{"role": "user", "content": [{"media": 0.5}]}]},
        {"regions": [{"mask": "AAAA", "size": [2, 2]}]},
        {"media": [{"kind": "image"}]},
        {"answer": "a"},
    ],
    ids=str,
)
def test_a_faulty_record_is_named(change: dict[str, Any]) -> None:
    record = {"id": "1", "media": [{"kind": "image", "path": "a.png"}], "turns": []} | change
    with pytest.raises(InputError, match=r"^data\.jsonl: line 3: "):
        Sample.from_json(record, "data.jsonl: line 3")


def test_bounds_of_a_mask_are_tight() -> None:
    mask = np.zeros((10, 20), dtype=bool)
    mask[2:5, 4:10] = True
    assert Region(mask=mask).bounds() == (0.2, 0.2, 0.5, 0.5)


def test_the_prompt_ends_before_the_last_answer() -> None:
    asked = Sample("1", turns=(Turn("user", (Text("a"),)), Turn("assistant", (Text("b"),)))).prompt()
    assert [turn.role for turn in asked.turns] == ["user"]


@pytest.mark.parametrize("content", [b"", b"PK\3\4 an archive of arrays", b"\x93NUMPY"])
def test_an_array_that_is_none_is_refused(content: bytes) -> None:
    record = {"id": "1", "media": [{"kind": "image", "array": base64.b64encode(content).decode()}], "turns": []}
    with pytest.raises(InputError, match="here: "):
        Sample.from_json(record, "here")


def test_a_mask_asks_for_no_more_memory_than_it_brings() -> None:
    record = Sample("1", (Media.file("image", "a.png"),), regions=(Region(mask=np.ones((2, 3), bool)),)).to_json()
    record["regions"][0]["size"] = [50_000, 20_000]
    with pytest.raises(InputError, match=r"a mask of 1 bytes does not fit its size \[50000, 20000\]"):
        Sample.from_json(record)
