"""What somebody meets who opens data for the first time: slices, notebooks, folders, reasons, and data made clean."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from vistune.cli import app
from vistune.data.check.clean import clean
from vistune.data.samples import parse, read, spelled
from vistune.errors import InputError
from vistune.sample import Media, Sample


def pictures(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 255, (24, 24, 3), np.uint8)
        Image.fromarray(noise).save(folder / name)


def conversations(folder: Path) -> str:
    """Three good records, one whose picture is gone, one that is no record."""
    pictures(folder, "0.png", "1.png", "2.png")
    turns = [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "a cat"}]
    records = [{"id": str(number), "image": f"{number}.png", "conversations": turns} for number in range(4)]
    (folder / "data.json").write_text(json.dumps([*records, {"id": "4", "image": "0.png"}]))
    return f"conversations:{folder / 'data.json'}"


def test_a_reader_has_slices() -> None:
    samples = read("world:?task=count&size=5")
    assert [sample.id for sample in samples[1:3]] == [samples[1].id, samples[2].id] and samples[10:] == []
    assert samples[::-1][0].id == samples[4].id


def test_what_is_printed_holds_no_pixels() -> None:
    sample = read("world:?task=count&size=5")[0]
    assert "Media('image', 64x64x3 uint8)" in repr(sample) and len(repr(sample)) < 2000
    assert repr(read("world:?task=count&size=5")) == "World(5 samples)"
    assert repr(Media("image", data=b"12345")) == "Media('image', 5 bytes)"


def test_a_notebook_shows_pictures_and_escapes_words() -> None:
    page = read("world:?task=count&size=5")._repr_html_()  # type: ignore[attr-defined]
    assert page.count("data:image/png;base64,") == 3 and "World(5 samples)" in page
    shown = Sample("<b>", (Media.file("image", "a&b.png"),))._repr_html_()
    assert "&lt;b&gt;" in shown and "a&amp;b.png" in shown and "<b>" not in shown


def test_a_folder_of_media_is_data(tmp_path: Path) -> None:
    pictures(tmp_path, "b.png", "deep/a.jpg", ".hidden/c.png")
    (tmp_path / "notes.txt").write_text("no medium")
    samples = read(str(tmp_path))
    assert [sample.id for sample in samples] == ["b.png", "deep/a.jpg"]
    assert samples[0].turns[-1].role == "user" and samples[0].media[0].path == str(tmp_path / "b.png")
    taught = read({"kind": "folder", "path": str(tmp_path), "answer": "noise", "pattern": "*.png"})
    assert len(taught) == 1 and taught[0].turns[-1].text == "noise"
    with pytest.raises(InputError, match="holds no pictures"):
        read(f"folder:{tmp_path}?pattern=*.gif")


def test_a_check_gives_an_example_of_each_reason(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["data", "check", conversations(tmp_path), "--workers", "1"])
    assert done.exit_code == 1
    lines = done.output.splitlines()
    place = next(number for number, line in enumerate(lines) if "missing_file" in line)
    assert "for example:" in lines[place + 1] and "3.png" in lines[place + 1]


def test_clean_data_is_written_and_the_rest_is_told(tmp_path: Path) -> None:
    spec, out = conversations(tmp_path), tmp_path / "clean.jsonl"
    with pytest.raises(InputError, match=r"2 of 5 samples.*more than 10%"):
        clean(spec, out)
    assert not out.exists()
    count, reasons = clean(spec, out, most=0.5, allowed=frozenset({"duplicate"}))
    assert count == 3 and reasons == {"missing_file": 1, "unreadable": 1}
    assert [sample.id for sample in read(f"samples:{out}")] == ["0", "1", "2"]
    left = [json.loads(line) for line in Path(f"{out}.rejects.jsonl").read_text().splitlines()]
    assert [line["index"] for line in left] == [3, 4] and left[0]["reasons"][0]["reason"] == "missing_file"


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "conversations", "path": "a.json", "images": "photos"},
        {"kind": "shards", "path": "s-{0..3}.tar", "layout": {"kind": "samples"}},
        {"kind": "world", "task": "count", "size": 5},
    ],
)
def test_a_spec_is_spelled_as_it_is_read(spec: dict[str, object]) -> None:
    assert parse(spelled(spec)) == spec


def test_readers_and_parts_tell_their_arguments() -> None:
    told = CliRunner().invoke(app, ["data", "help", "qa"]).output
    assert "answer_is" in told and "default 'text'" in told and "path" in told and "needed" in told
    assert "mlp" in CliRunner().invoke(app, ["parts"]).output
    assert "depth" in CliRunner().invoke(app, ["parts", "connector", "mlp"]).output
    assert "did you mean 'mlp'" in str(CliRunner().invoke(app, ["parts", "connector", "mpl"]).exception)
    assert "did you mean 'connector'" in str(CliRunner().invoke(app, ["parts", "conector"]).exception)
