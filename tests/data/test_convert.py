"""Conversion: what a format holds comes back the same; what it cannot hold is refused by name, never dropped."""

from __future__ import annotations

import string
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vistune.data.convert import convert
from vistune.data.fields.placeholders import TAGS
from vistune.data.fields.questions import Questions
from vistune.data.fields.regions.detection import FIND_ALL, detection_sample
from vistune.data.held import canonical
from vistune.data.rejects import Rejects
from vistune.data.samples import read
from vistune.errors import InputError
from vistune.sample import Media, MediaRef, Part, Produce, Region, Sample, Text, Turn
from vistune.spec import kinds

_LETTERS = string.ascii_letters + "é世 \n\"'\\{}[],<>:."
WORDS = st.text(alphabet=_LETTERS, max_size=20).filter(lambda text: not any(tag in text for tag in TAGS))
JSON = st.recursive(
    st.booleans() | st.integers(-99, 99) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=3,
)


class Held(list[Sample]):
    """A list of samples is `Samples`."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("convert")
    for name in ("a.png", "deep/b.png", "ü c.png"):
        (root / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 40, 3), 7, np.uint8)).save(root / "photos" / name)
    return root


def image(folder: Path, name: str) -> Media:
    return Media.file("image", str(folder / "photos" / name))


@st.composite
def chats(draw: st.DrawFn, folder: Path) -> Sample:
    """Any conversation over images, each shown or produced once and in order."""
    names = draw(st.lists(st.sampled_from(["a.png", "deep/b.png", "ü c.png"]), max_size=3))
    roles = draw(st.lists(st.sampled_from(["system", "user", "assistant"]), min_size=1, max_size=4))
    places = sorted(draw(st.lists(st.integers(0, len(roles) - 1), min_size=len(names), max_size=len(names))))
    turns = []
    for number, role in enumerate(roles):
        parts: list[Part] = [Text(draw(WORDS))]
        for index in (index for index, place in enumerate(places) if place == number):
            parts += [Produce(index) if role == "assistant" else MediaRef(index), Text(draw(WORDS))]
        turns.append(Turn(role, tuple(parts)))  # type: ignore[arg-type]
    sample = Sample(draw(WORDS.filter(bool)), tuple(image(folder, name) for name in names), tuple(turns))
    meta = draw(st.dictionaries(st.sampled_from(["task", "source", "x y"]), JSON, max_size=2))
    return canonical(replace(sample, meta=meta))


@st.composite
def questions(draw: st.DrawFn, folder: Path) -> Sample:
    names = draw(st.lists(st.sampled_from(["a.png", "deep/b.png"]), max_size=2))
    answer = draw(WORDS)
    asked = Turn("user", (*(MediaRef(number) for number in range(len(names))), Text(draw(WORDS.filter(bool)))))
    return Sample(
        draw(WORDS),
        tuple(image(folder, name) for name in names),
        (asked, Turn("assistant", (Text(answer),))),
        answers=(answer,),
    )


@st.composite
def boxes(draw: st.DrawFn, folder: Path) -> Sample:
    found = []
    for _ in range(draw(st.integers(0, 3))):
        x, y = draw(st.integers(0, 39)), draw(st.integers(0, 39))
        u, v = draw(st.integers(x + 1, 40)), draw(st.integers(y + 1, 40))
        found.append(Region(box=(x / 40, y / 40, u / 40, v / 40), label=draw(st.sampled_from(["cat", "a dog"]))))
    return detection_sample(str(draw(st.integers(0, 9999))), image(folder, "a.png"), tuple(found), Questions(FIND_ALL), "")


@st.composite
def anything(draw: st.DrawFn, folder: Path) -> Sample:
    sample = draw(chats(folder))
    turns = tuple(replace(turn, train=draw(st.booleans())) for turn in sample.turns)
    regions = (Region(mask=np.eye(3, dtype=bool), label="m"), Region(point=(0.5, 0.25)), Region(box=(0.1, 0.2, 1 / 3, 1)))
    media = (*sample.media, Media("image", data=np.zeros((2, 2, 3), np.uint8)), Media("audio", data=b"\0\1"))
    return replace(sample, turns=turns, media=media, regions=regions, choices=("a", ""), answers=("x",))


HOLDS: dict[str, Any] = {
    "samples": anything,
    "conversations": chats,
    "messages": chats,
    "qa": questions,
    "instructions": questions,
    "coco": boxes,
    "shards": chats,
}
SUFFIX = {"samples": ".jsonl", "messages": ".jsonl", "instructions": ".jsonl", "shards": ".tar"}


def test_every_writer_has_its_round_trip() -> None:
    assert sorted(HOLDS) == kinds("vistune.data.writers")


@pytest.mark.parametrize("kind", HOLDS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_a_format_holds_comes_back_the_same(kind: str, folder: Path, data: st.DataObject) -> None:
    samples = data.draw(st.lists(HOLDS[kind](folder), min_size=1, max_size=3, unique_by=lambda sample: sample.id))
    for old in folder.glob("out*.tar"):
        old.unlink()
    count, back = convert(Held(samples), kind, str(folder / f"out{SUFFIX.get(kind, '.json')}"), images=str(folder / "photos"))
    assert count == len(samples)
    returned = list(read(back))
    if kind == "shards":  # media are copied into the archive: the same bytes at another place
        assert [[m.read_bytes() for m in sample.media] for sample in returned] == [
            [m.read_bytes() for m in sample.media] for sample in samples
        ]
        returned = [replace(sample, media=given.media) for sample, given in zip(returned, samples, strict=True)]
    if kind == "coco":  # pixels and back: equal to the last bits
        for sample, given_sample in zip(returned, samples, strict=True):
            assert [region.label for region in sample.regions] == [region.label for region in given_sample.regions]
            for region, expected in zip(sample.regions, given_sample.regions, strict=True):
                assert region.box == pytest.approx(expected.box, abs=1e-12)
        return
    assert returned == samples


def chat(**changes: Any) -> Sample:
    return replace(Sample("7", (), (Turn("user", (Text("Q"),)), Turn("assistant", (Text("A"),)))), **changes)


BOX = Region(box=(0, 0, 1, 1), label="x")


@pytest.mark.parametrize(
    "kind,sample,message",
    [
        (
            "conversations",
            chat(media=(Media("image", data=b"x"),), turns=(Turn("user", (MediaRef(0),)),)),
            "is no file of its own",
        ),
        (
            "conversations",
            chat(media=(Media.file("image", "/etc/x.png"),), turns=(Turn("user", (MediaRef(0),)),)),
            "is not inside",
        ),
        ("conversations", chat(turns=(Turn("user", (Text("an <image> tag"),)),)), "its text holds '<image>'"),
        (
            "conversations",
            chat(turns=(Turn("assistant", (Text("A"),), train=False),)),
            "cannot say which turns are not trained on",
        ),
        ("messages", chat(turns=(Turn("user", (Text("an <image> tag"),)),)), "its text holds '<image>'"),
        ("conversations", chat(meta={"image": 1}), "meta key 'image' has a meaning of its own"),
        ("conversations", chat(turns=()), "without turns"),
        ("messages", chat(answers=("A",)), "cannot hold its answers: leave them out with --drop answers"),
        (
            "messages",
            chat(turns=(Turn("user", (BOX,)),), media=(Media.file("image", "a.png"),)),
            "every medium once and in order",
        ),
        ("qa", chat(meta={"a": 1}), "cannot hold its meta: leave them out with --drop meta"),
        ("qa", chat(turns=(Turn("system", (Text("Q"),)),)), "one question after its media and one answer"),
        ("instructions", chat(), "which is the only accepted one"),
        ("coco", chat(), "one image a sample, this has 0 media"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_and_nothing_is_written(
    kind: str, sample: Sample, message: str, tmp_path: Path
) -> None:
    path = tmp_path / f"out{SUFFIX.get(kind, '.json')}"
    with pytest.raises(InputError, match=f"sample '7': .*{message}"):
        convert(Held([sample]), kind, str(path))
    assert list(tmp_path.iterdir()) == []


def test_parts_are_left_out_only_by_name(tmp_path: Path) -> None:
    sample = chat(meta={"a": 1}, answers=("A",))
    count, back = convert(Held([sample]), "messages", str(tmp_path / "out.jsonl"), drop=["meta", "answers"])
    assert (count, list(read(back))) == (1, [chat()])
    with pytest.raises(InputError, match=r"'metta' is no part of a sample that can be left out \(did you mean 'meta'"):
        convert(Held([sample]), "messages", str(tmp_path / "out.jsonl"), drop=["metta"])
    with pytest.raises(InputError, match=r"no writer for 'sample' \(did you mean 'samples'"):
        convert(Held([sample]), "sample", str(tmp_path / "out.jsonl"))


def test_media_in_memory_are_extracted_to_files_named_by_content(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    sample = chat(media=(Media("image", data=pixels),), turns=(Turn("user", (MediaRef(0),)),))
    _, back = convert(
        Held([sample, replace(sample, id="8")]),
        "conversations",
        str(tmp_path / "out.json"),
        extract=str(tmp_path / "media"),
        images=str(tmp_path),
    )
    first, second = read(back)
    assert first.media == second.media and len(list((tmp_path / "media").iterdir())) == 1
    assert np.array_equal(np.asarray(Image.open(str(first.media[0].path))), pixels)


def test_equal_samples_give_equal_archives_of_bounded_size(tmp_path: Path, folder: Path) -> None:
    from vistune.data.writers.shards import write

    samples = [chat(id=str(number), media=(image(folder, "a.png"),)) for number in range(5)]
    for name in ("x", "y"):
        assert write(samples, str(tmp_path / f"{name}.tar"), tmp_path, per_shard=2) == 5
    archives = sorted(tmp_path.glob("x-*.tar"))
    assert [path.name for path in archives] == ["x-00000.tar", "x-00001.tar", "x-00002.tar"]
    assert all(path.read_bytes() == (tmp_path / path.name.replace("x", "y")).read_bytes() for path in archives)


def test_rejects_are_written_down_and_too_many_end_the_conversion(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    good = '{"id": "1", "conversations": [{"from": "gpt", "value": "A"}]}\n'
    path.write_text(good * 150 + "broken\n")
    with Rejects(tmp_path / "rejects.jsonl", 151) as rejects:
        count, _ = convert(read(f"conversations:{path}"), "samples", str(tmp_path / "out.jsonl"), rejects=rejects)
    assert count == 150 and "line 151: not JSON" in (tmp_path / "rejects.jsonl").read_text()
    path.write_text(good * 50 + "broken\n")
    with (
        pytest.raises(InputError, match="1 of 51 records cannot be used, more than 1%"),
        Rejects(tmp_path / "r.jsonl", 51) as rejects,
    ):
        convert(read(f"conversations:{path}"), "samples", str(tmp_path / "few.jsonl"), rejects=rejects)
    assert not (tmp_path / "few.jsonl").exists() and "line 51" in (tmp_path / "r.jsonl").read_text()
