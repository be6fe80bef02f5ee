"""Archives hold all of a conversion or nothing of it, and give back each medium as what it was."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vistune.data.convert import convert
from vistune.data.samples import read
from vistune.data.writers.shards import write
from vistune.errors import InputError
from vistune.sample import Media, MediaRef, Sample, Text, Turn


class Held(list[Sample]):
    """A list of samples is `Samples`."""


def sample(identity: str, *media: Media, **changes: Any) -> Sample:
    user = Turn("user", (*(MediaRef(number) for number in range(len(media))), Text("Q")))
    return Sample(identity, media, (user, Turn("assistant", (Text("A"),))), **changes)


def test_a_failed_conversion_leaves_no_archive(tmp_path: Path) -> None:
    broken = sample("1", Media.file("image", str(tmp_path / "missing.png")))
    with pytest.raises(InputError, match=r"cannot read image .*missing.png"):
        write([sample("0"), broken], str(tmp_path / "x.tar"), tmp_path, per_shard=1)
    assert list(tmp_path.iterdir()) == []


def test_archives_of_an_earlier_conversion_are_not_read_with_the_new_ones(tmp_path: Path) -> None:
    path = str(tmp_path / "x.tar")
    write([sample("old 0"), sample("old 1")], path, tmp_path, per_shard=1)
    with pytest.raises(InputError, match=r"x-00001.tar is left of an earlier, larger conversion"):
        convert(Held([sample("new")]), "shards", path)
    assert [one.id for one in read({"kind": "shards", "path": f"{tmp_path}/x-*.tar", "layout": {"kind": "samples"}})] == [
        "old 0",
        "old 1",
    ]


def test_the_spec_that_reads_archives_back_names_no_others(tmp_path: Path) -> None:
    convert(Held([sample("small")]), "shards", str(tmp_path / "train-small.tar"))
    _, back = convert(Held([sample("large")]), "shards", str(tmp_path / "train.tar"))
    assert [one.id for one in read(back)] == ["large"]


def test_media_come_back_as_what_they_were(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), "red").save(tmp_path / "a.jfif", "JPEG")
    picture = Media.file("image", str(tmp_path / "a.jfif"))
    sound = Media("audio", data=np.zeros((4, 1), np.float32))
    _, back = convert(Held([sample("0", picture, sound)]), "shards", str(tmp_path / "x.tar"))
    first, second = read(back)[0].media
    assert (first.kind, second.kind) == ("image", "audio")
    assert first.read_bytes() == picture.read_bytes()
    scan = tmp_path / "scan.nii.gz"
    scan.write_bytes(b"volume")
    with pytest.raises(InputError, match=r"shards cannot hold .*: no points file is known to end in .gz"):
        convert(Held([sample("0", Media.file("points", str(scan)))]), "shards", str(tmp_path / "y.tar"))


def test_what_json_cannot_hold_is_refused_in_every_format(tmp_path: Path) -> None:
    for kind in ("shards", "conversations", "messages", "samples"):
        for value in (float("nan"), b"bytes"):
            out = tmp_path / f"{kind}.{'tar' if kind == 'shards' else 'jsonl'}"
            with pytest.raises(InputError, match=r"'seven'.*JSON cannot hold it"):
                convert(Held([sample("seven", meta={"score": value})]), kind, str(out))
    assert list(tmp_path.iterdir()) == []


def test_a_file_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="JSON cannot hold it"):
        convert(Held([sample("7", Media.file("image", str(tmp_path / "\udce9.png")))]), "samples", str(tmp_path / "x.jsonl"))


def test_the_ending_fits_what_is_written(tmp_path: Path) -> None:
    _, back = convert(Held([sample("one")]), "messages", str(tmp_path / "one.json"))
    assert [each.id for each in read(back)] == ["one"]
    with pytest.raises(InputError, match=r"qa is JSON, but .*x.csv ends in '.csv'"):
        convert(Held([sample("one")]), "qa", str(tmp_path / "x.csv"))
    with pytest.raises(InputError, match="is a folder: name the file to write"):
        convert(Held([sample("one")]), "samples", str(tmp_path))


def test_files_beside_the_data_in_an_archive_are_no_records(tmp_path: Path) -> None:
    files = {"README": b"hello", "._0.jpg": b"mac", "0.jpg": b"picture", "._0.txt": b"mac", "0.txt": b"a caption"}
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    (only,) = read(f"shards:{tmp_path}/x.tar")
    assert only.id == "0" and only.answers == ("a caption",) and only.media[0].read_bytes() == b"picture"
