"""Editing data: the instruction with the picture before, the picture after to be produced; what is missing is named."""

import json

import pytest
from PIL import Image

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.sample import MediaRef, Produce, Text


@pytest.fixture
def folder(tmp_path):
    for name in ("a", "b"):
        Image.new("RGB", (4, 4), {"a": "red", "b": "blue"}[name]).save(tmp_path / f"{name}.png")
    return tmp_path


def write(folder, **record):
    (folder / "e.jsonl").write_text(json.dumps(record) + "\n")
    return folder / "e.jsonl"


def test_before_instruction_after(folder):
    path = write(
        folder,
        original_image="a.png",
        edit_prompt=" turn blue ",
        edited_image="b.png",
        original_prompt="red",
        edited_prompt="blue",
    )
    (sample,) = read(f"edits:{path}")
    assert sample.turns[0].parts == (MediaRef(0), Text("turn blue")) and sample.turns[1].parts == (Produce(1),)
    assert [medium.path for medium in sample.media] == [str(folder / "a.png"), str(folder / "b.png")]
    assert sample.meta == {"before": "red", "after": "blue"}


def test_other_names_and_pictures_made_from_words(folder):
    (sample,) = read(
        {"kind": "edits", "path": str(write(folder, input="a.png", instruction="blue!", output="b.png")),
         "before": "input", "instruction": "instruction", "after": "output"}
    )  # fmt: skip
    assert len(sample.media) == 2
    path = write(folder, caption="a blue square", image="b.png")
    (sample,) = read({"kind": "edits", "path": str(path), "before": None, "instruction": "caption", "after": "image"})
    assert sample.turns[0].parts == (Text("a blue square"),) and sample.turns[1].parts == (Produce(0),)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"edit_prompt": " ", "original_image": "a.png", "edited_image": "b.png"}, "holds no instruction"),
        ({"edit_prompt": "x", "original_image": None, "edited_image": "b.png"}, "no picture to be changed"),
        (
            {"edit_prompt": "x", "original_image": "a.png", "edited_image": ["a.png", "b.png"]},
            "as its result, not 2",
        ),
        ({"edit_prompt": "x", "original_image": "a.png"}, "edited_image"),
    ],
)
def test_what_is_missing_is_named(folder, record, message):
    with pytest.raises(InputError, match=message):
        read(f"edits:{write(folder, **record)}")[0]
