"""A link that leads out of the folder that was named is refused, whoever reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vistune.data.readers.class_folders import ClassFolders
from vistune.data.records.shard_records import shard_files
from vistune.data.samples import read
from vistune.errors import InputError
from vistune.evals.reading.hub import hub_rows
from vistune.evals.reading.sources import beneath, load, locate
from vistune.files import escapes


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A folder with a file of its own, and links to a file and a folder elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.png").write_bytes(b"secret")
    folder = tmp_path / "named"
    (folder / "cats").mkdir(parents=True)
    (folder / "cats" / "own.png").write_bytes(b"own")
    (folder / "cats" / "near.png").symlink_to("own.png")
    (folder / "out.png").symlink_to(tmp_path / "elsewhere" / "secret.png")
    (folder / "cats" / "out.png").symlink_to("../../elsewhere/secret.png")
    (folder / "away").symlink_to(tmp_path / "elsewhere")
    return folder


def test_links_are_followed_before_a_name_is_believed(named: Path, tmp_path: Path) -> None:
    assert escapes(named, f"{named}/a\0b")  # the name of no file
    assert not escapes(named, named / "cats" / "near.png") and escapes(named, named / "cats" / "out.png")
    (tmp_path / "door").symlink_to(named)
    assert not escapes(tmp_path / "door", tmp_path / "door" / "cats" / "own.png")  # the named folder itself may be a link
    for name in ("out.png", "away/secret.png"):
        turns = [{"from": "human", "value": "<image>\nq"}, {"from": "gpt", "value": "a"}]
        (tmp_path / "d.json").write_text(json.dumps([{"id": "0", "image": name, "conversations": turns}]))
        with pytest.raises(InputError, match="leads out of the folder"):
            read(f"conversations:{tmp_path / 'd.json'}?images={named}")[0]
        with pytest.raises(InputError, match="leads out of"):
            beneath(named, name)
        with pytest.raises(InputError, match="leads out of"):
            locate(named, name)
    with pytest.raises(InputError, match="leads out of"):
        load(named)
    with pytest.raises(InputError, match="leads out of"):
        shard_files(str(named / "*.png"))
    assert shard_files(str(named / "out.png"))  # named by the user, not by a pattern or a file
    with pytest.raises(InputError, match="leads out of"):
        list(ClassFolders(str(named)))


def test_the_hubs_own_links_stay(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "repo" / "blobs", tmp_path / "repo" / "snapshots" / "abc"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    (blobs / "1f").write_text("[]")
    (snapshot / "a.json").symlink_to("../../blobs/1f")
    (snapshot / "b.json").symlink_to("../../other")
    assert locate(snapshot, "a.json") and escapes(snapshot, snapshot / "b.json")


def test_annotations_and_documents_that_are_links_are_refused(tmp_path: Path) -> None:
    away, folder = tmp_path / "away", tmp_path / "Annotations"
    away.mkdir()
    folder.mkdir()
    (away / "0.xml").write_text("<annotation><filename>a.png</filename></annotation>")
    (away / "note.txt").write_text("FINDINGS: none.")
    (folder / "0.xml").symlink_to(away / "0.xml")
    with pytest.raises(InputError, match="leads out of"):
        read(f"voc:{folder}?images={folder}")[0]
    (folder / "note.txt").symlink_to(away / "note.txt")
    (folder / "rows.jsonl").write_text('{"file": "note.txt"}\n')
    with pytest.raises(InputError, match="leads out of"):
        read({"kind": "documents", "path": str(folder / "rows.jsonl"), "document": "file"})[0]


def test_a_parquet_file_of_a_download_that_is_a_link_is_refused(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs vistune[datasets]")
    pyarrow = pytest.importorskip("pyarrow")
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").mkdir()
    parquet.write_table(pyarrow.table({"a": [1]}), tmp_path / "elsewhere" / "rows.parquet")
    (tmp_path / "data" / "test.parquet").symlink_to(tmp_path / "elsewhere" / "rows.parquet")
    with pytest.raises(InputError, match="leads out of"):
        list(hub_rows(str(tmp_path / "data"), "test*.parquet", "test"))
    (tmp_path / "data" / "test.parquet").unlink()
    (tmp_path / "elsewhere" / "rows.parquet").rename(tmp_path / "data" / "test.parquet")
    assert [row for _, row in hub_rows(str(tmp_path / "data"), "test*.parquet", "test")] == [{"a": 1}]
