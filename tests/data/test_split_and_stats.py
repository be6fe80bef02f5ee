"""Splits share no picture and do not move when data grows; statistics and the contact sheet say what is there."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vistune.data.contact_sheet import write_contact_sheet
from vistune.data.manifest import named
from vistune.data.samples import read
from vistune.data.split import assign, parse_parts, write_parts
from vistune.data.stats import stats_of
from vistune.data.writers.samples import write as write_samples
from vistune.errors import InputError
from vistune.sample import Media, MediaRef, Region, Sample, Text, Turn

PARTS = {"train": 0.8, "val": 0.2}


class Held(list[Sample]):
    """A list of samples is `Samples`."""


def sample(identity: str, *names: str, **changes: object) -> Sample:
    turns = (Turn("user", (Text("What is it?"),)), Turn("assistant", (Text("A red cat."),)))
    return Sample(identity, tuple(Media.file("image", name) for name in names), turns, **changes)  # type: ignore[arg-type]


def test_parts_share_no_picture_even_through_others() -> None:
    data = Held(sample(str(n), f"{n // 3}.png", *([f"{n // 3 + 1}.png"] if n % 30 == 29 else [])) for n in range(900))
    parts = assign(data, PARTS)
    assert sorted(itertools.chain(*parts.values())) == list(range(900))
    pictures = {name: {medium.path for index in indices for medium in data[index].media} for name, indices in parts.items()}
    assert not pictures["train"] & pictures["val"]
    assert 0.7 < len(parts["train"]) / 900 < 0.9
    assert assign(data, PARTS) == parts != assign(data, PARTS, seed=1)


def test_later_data_moves_nothing() -> None:
    data = [sample(str(n), f"{n}.png") for n in range(200)]
    before = assign(Held(data[:100]), PARTS)
    after = assign(Held(data), PARTS)
    assert all(set(before[name]) <= set(after[name]) for name in PARTS)


def test_meta_and_sample_groups() -> None:
    data = Held(sample(str(n), "one.png", meta={"patient": n // 10}) for n in range(100))
    parts = assign(data, PARTS, by="meta.patient")
    assert not {n // 10 for n in parts["train"]} & {n // 10 for n in parts["val"]}
    assert min(map(len, assign(data, PARTS, by="sample").values())) > 0
    assert sorted(map(len, assign(data, PARTS, by="media").values())) == [0, 100]
    with pytest.raises(InputError, match=r"sample '0': has no meta key 'age'"):
        assign(data, PARTS, by="meta.age")
    with pytest.raises(InputError, match=r"by 'picture': expected media, sample or meta.KEY"):
        assign(data, PARTS, by="picture")


@pytest.mark.parametrize("text", ["train", "train=0.5", "train=0.5,train=0.5", "train=1.5,val=-0.5", "a b=1", "train=x"])
def test_broken_shares_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="parts "):
        parse_parts(text)
    assert parse_parts("train=0.9, val=0.1") == {"train": 0.9, "val": 0.1}


def test_stats_count_what_is_there() -> None:
    regions = (Region(box=(0, 0, 1, 1), label="cat"), Region(point=(0.5, 0.5)))
    facts = stats_of([sample("1", "a.png", regions=regions, meta={"task": "vqa"}), sample("2", meta={"task": "vqa"})]).to_json()
    assert (facts["samples"], facts["media"], facts["media_per_sample"]) == (2, {"image": 1}, {"0": 1, "1": 1})
    assert facts["words_per_turn"]["assistant"] == {"mean": 3.0, "p5": 3, "median": 3, "p95": 3, "max": 3}
    assert (facts["vocabulary"], facts["short_answers"]) == (6, {"A red cat.": 2})
    assert (facts["regions"], facts["labels"], facts["tasks"]) == ({"box": 1, "point": 1}, {"cat": 1}, {"task": {"vqa": 2}})


def test_the_contact_sheet_embeds_pictures_escapes_text_and_shows_errors(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((30, 60, 3), np.uint8)).save(tmp_path / "a.png")
    box = Region(box=(0.1, 0.2, 0.5, 0.9), label="x")
    good = Sample(
        "<1>", (Media.file("image", str(tmp_path / "a.png")),), (Turn("user", (MediaRef(0), Text("<script>"), box)),), (box,)
    )
    write_contact_sheet(tmp_path / "sheet.html", "a & b", [good, sample("2", str(tmp_path / "gone.png"))], {"samples": 2})
    page = (tmp_path / "sheet.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 1 and "cannot read image" in page
    assert "<script>" not in page and "&lt;script&gt;" in page and "[0.100, 0.200, 0.500, 0.900]" in page


def test_a_split_never_takes_the_place_of_its_own_data(tmp_path: Path) -> None:
    source = tmp_path / "train.jsonl"
    write_samples([sample(f"{number:03}") for number in range(100)], str(source), tmp_path)
    before = source.read_bytes()
    data = read(f"samples:{source}")
    parts = assign(data, PARTS)
    with pytest.raises(InputError, match=r"train.jsonl is what the data is read from: choose another folder"):
        write_parts(data, parts, tmp_path, tmp_path, named(f"samples:{source}"))
    assert source.read_bytes() == before and not (tmp_path / "val.jsonl").exists()
    targets = write_parts(data, parts, tmp_path / "out", tmp_path / "out", named(f"samples:{source}"))
    assert {name: len(read(f"samples:{path}")) for name, path in targets.items()} == {n: len(p) for n, p in parts.items()}


def test_a_failed_split_leaves_no_part(tmp_path: Path) -> None:
    data = Held([sample("0"), sample("1", "elsewhere/a.png")])
    with pytest.raises(InputError, match="is not inside"):
        write_parts(data, {"train": [0], "val": [1]}, tmp_path / "out", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_samples_that_share_a_picture_in_memory_stay_together() -> None:
    pixels = [np.full((2, 2, 3), n, np.uint8) for n in range(20)]
    data = Held(replace(sample(str(n)), media=(Media("image", data=pixels[n // 5]),)) for n in range(100))
    parts = assign(data, PARTS)
    assert not {n // 5 for n in parts["train"]} & {n // 5 for n in parts["val"]}
