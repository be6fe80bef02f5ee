"""LLaVA's format and its variants."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.sample import Media, MediaRef, Produce, Sample, Text, Turn


def write(folder: Path, *records: Any, name: str = "train.json") -> str:
    path = folder / name
    path.write_text(json.dumps(records) if name.endswith(".json") else "\n".join(map(json.dumps, records)))
    return str(path)


def record(**changes: Any) -> dict[str, Any]:
    turns = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A cat."}]
    return {"id": "7", "image": "a/cat.jpg", "conversations": turns, **changes}


@pytest.mark.parametrize("name", ["train.json", "train.jsonl"])
def test_a_record_becomes_a_sample(tmp_path: Path, name: str) -> None:
    (tmp_path / "photos").mkdir()
    path = write(tmp_path, record(model="x"), name=name)
    samples = read(f"conversations:{path}?images={tmp_path}/photos")
    expected = Sample(
        "7",
        (Media.file("image", f"{tmp_path}/photos/a/cat.jpg"),),
        (Turn("user", (MediaRef(0), Text("\nWhat is it?"))), Turn("assistant", (Text("A cat."),))),
        meta={"model": "x"},
    )
    assert list(samples) == [expected] and len(samples) == 1 and samples[-1] == expected


def test_media_of_all_kinds_fill_their_own_placeholders(tmp_path: Path) -> None:
    turns = [
        {"from": "human", "value": "<video> then <image>, <point>"},
        {"from": "gpt", "value": "like <image> and <audio>"},
    ]
    path = write(
        tmp_path, {"images": ["1.jpg", "2.jpg"], "video": "v.mp4", "audio": "a.wav", "point": "p.npy", "conversations": turns}
    )
    (sample,) = read(f"conversations:{path}")
    assert [medium.kind for medium in sample.media] == ["image", "image", "video", "audio", "points"]
    assert sample.turns[0].parts == (MediaRef(2), Text(" then "), MediaRef(0), Text(", "), MediaRef(4))
    assert sample.turns[1].parts == (Text("like "), Produce(1), Text(" and "), Produce(3))
    assert sample.id == "train:0"


def test_variants_are_named_by_arguments(tmp_path: Path) -> None:
    path = write(tmp_path, {"pcl": "x.npy", "items": [{"who": "Doctor", "text": "look"}, {"who": "user", "text": "why?"}]})
    spec = {
        "kind": "conversations",
        "path": path,
        "turns": "items",
        "speaker": "who",
        "said": "text",
        "roles": {"Doctor": "assistant"},
        "media_keys": {"pcl": "points"},
        "placeholders": "prepend",
    }
    (sample,) = read(spec)
    assert sample.turns == (Turn("assistant", (Text("look"),)), Turn("user", (MediaRef(0), Text("why?"))))


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"image": None}, "1 <image> placeholder for 0 files"),
        ({"image": ["a.jpg", "b.jpg"]}, r"image .*b.jpg has no placeholder in the text"),
        ({"image": "../../etc/passwd"}, "lies outside the folder"),
        ({"image": "/etc/passwd"}, "lies outside the folder"),
        ({"image": "C:\\x.jpg"}, "lies outside the folder"),
        ({"image": "https://a.b/c.jpg"}, "is a URL, which is never fetched"),
        ({"image": 5}, "the image's file name is a number"),
        ({"image": ""}, "1 <image> placeholder for 0 files"),
        ({"image": ["", "a/cat.jpg"], "images": "b.jpg"}, r"image .*b.jpg has no placeholder in the text"),
        ({"id": {}}, "'id' is an object"),
        ({"conversations": []}, "'conversations' is empty"),
        ({"conversations": "hi"}, "'conversations' is text"),
        ({"conversations": [{"from": "gtp", "value": "x"}]}, r"'gtp' is no known speaker \(did you mean 'gpt'"),
        ({"conversations": [{"from": "gpt", "value": None}]}, "'value' is null"),
        ({"conversations": [{"from": "gpt", "valeu": "x"}]}, r"'value' is missing \(did you mean 'valeu'"),
    ],
)
def test_faults_are_named_with_file_and_record(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write(tmp_path, record(), record(**changes))
    samples = read(f"conversations:{path}")
    assert samples[0].id == "7"
    with pytest.raises(InputError, match=r"train.json: record 2 \(byte \d+\): .*" + message):
        samples[1]


def test_a_missing_media_folder_is_refused_at_the_door(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"media folder .*nowhere does not exist"):
        read(f"conversations:{write(tmp_path, record())}?images={tmp_path}/nowhere")


def test_one_text_is_divided_by_the_marks_of_its_speakers(tmp_path: Path) -> None:
    """Baize: a sentence before the first mark, and a last turn that nobody spoke."""
    said = "The conversation.\n[|Human|] Hi [x]?\n[|AI|] Yes.\nIndeed.\n[|Human|] "
    (tmp_path / "x.json").write_text(json.dumps([{"topic": "t", "input": said}]))
    spec = {"kind": "conversations", "path": f"{tmp_path}/x.json", "turns": "input"}
    marks = {"[|Human|]": "user", "[|AI|]": "assistant"}
    (sample,) = read({**spec, "divided": marks})
    assert [(turn.role, turn.text) for turn in sample.turns] == [("user", "Hi [x]?"), ("assistant", "Yes.\nIndeed.")]
    assert sample.meta == {"topic": "t"}
    with pytest.raises(InputError, match="'input' is empty"):
        read({**spec, "divided": {"<H>": "user"}})[0]
