"""Keys that say what training is to learn are honoured or refused, in every reader that meets them; the others are named."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from vistune.cli import app
from vistune.data.samples import read
from vistune.errors import InputError
from vistune.sample import MediaRef, Sample, Text


def png() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(png())
    (tmp_path / "photos" / "b.png").write_bytes(png())
    return tmp_path


def one(folder: Path, kind: str, record: dict[str, Any], query: str = "") -> Sample:
    path = folder / "data.json"
    path.write_text(json.dumps([record]))
    (sample,) = read(f"{kind}:{path}{query}")
    return sample


def shown(sample: Sample) -> list[tuple[str, bool, list[str]]]:
    return [
        (turn.role, turn.train, [part.text if isinstance(part, Text) else f"<{part.index}>" for part in turn.parts])  # type: ignore[union-attr]
        for turn in sample.turns
    ]


TURNS = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
MESSAGES = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("conversations", {"conversations": TURNS}),
        ("messages", {"messages": MESSAGES}),
        ("instructions", {"instruction": "q", "output": "a"}),
    ],
)
def test_a_system_key_is_the_system_turn(folder: Path, kind: str, record: dict[str, Any]) -> None:
    sample = one(folder, kind, {**record, "system": "Answer in one word."})
    assert shown(sample) == [("system", True, ["Answer in one word."]), ("user", True, ["q"]), ("assistant", True, ["a"])]
    assert "system" not in sample.meta
    assert len(one(folder, kind, {**record, "system": ""}).turns) == 2


def test_two_system_sentences_are_refused(folder: Path) -> None:
    told = [{"from": "system", "value": "Be brief."}, *TURNS]
    with pytest.raises(InputError, match="a key 'system' and a system turn, which say different things"):
        one(folder, "conversations", {"conversations": told, "system": "Be long."})
    assert len(one(folder, "conversations", {"conversations": told, "system": "Be brief."}).turns) == 3


@pytest.mark.parametrize("mark", [{"weight": 0}, {"loss": False}, {"train": False}, {"weight": 0.0}])
def test_an_answer_that_is_marked_so_is_shown_and_not_taught(folder: Path, mark: dict[str, Any]) -> None:
    first = one(folder, "conversations", {"conversations": [*TURNS, TURNS[0], {**TURNS[1], **mark}]})
    second = one(folder, "messages", {"messages": [*MESSAGES, MESSAGES[0], {**MESSAGES[1], **mark}]})
    assert [turn.train for turn in first.turns] == [turn.train for turn in second.turns] == [True, True, True, False]


def test_a_share_of_a_turn_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"'weight' of a turn is 0.5: a turn is taught whole \(1, true\) or not at all"):
        one(folder, "messages", {"messages": [MESSAGES[0], {**MESSAGES[1], "weight": 0.5}]})


def test_instructions_take_images_beside_image_and_placeholders_in_the_text(folder: Path) -> None:
    record = {"instruction": "Compare <image> with <image>.", "output": "Equal.", "images": ["photos/a.png", "photos/b.png"]}
    sample = one(folder, "instructions", record)
    assert shown(sample)[0] == ("user", True, ["Compare ", "<0>", " with ", "<1>", "."])
    plain = one(folder, "instructions", {"instruction": "Look.", "output": "a", "image": "photos/a.png"})
    assert shown(plain)[0] == ("user", True, ["<0>", "Look."])
    with pytest.raises(InputError, match="1 <image> placeholder for 0 files"):
        one(folder, "instructions", {"instruction": "<image>What?", "output": "a"})


def test_questions_take_placeholders_in_their_text(folder: Path) -> None:
    record = {"question": "Is <image> red?", "answer": "no", "image": "photos/a.png"}
    assert shown(one(folder, "qa", record))[0] == ("user", True, ["Is ", "<0>", " red?"])
    with pytest.raises(InputError, match="2 <image> placeholders for 1 files"):
        one(folder, "qa", {**record, "question": "<image> <image>?"})


def test_a_placeholder_inside_a_content_list_takes_the_next_picture(folder: Path) -> None:
    content = [{"type": "text", "text": "Is <image> red?"}]
    messages = [{"role": "user", "content": content}, MESSAGES[1]]
    sample = one(folder, "messages", {"messages": messages, "images": ["photos/a.png"]})
    assert sample.turns[0].parts == (Text("Is "), MediaRef(0), Text(" red?"))
    with pytest.raises(InputError, match="show more image media than the columns hold"):
        one(folder, "messages", {"messages": messages})


def test_tool_calls_are_refused(folder: Path) -> None:
    calls = [MESSAGES[0], {**MESSAGES[1], "tool_calls": [{"function": {"name": "f"}}]}]
    with pytest.raises(InputError, match="'tool_calls', which are no words"):
        one(folder, "messages", {"messages": calls})


def struct(folder: Path) -> dict[str, Any]:
    return {"bytes": None, "path": "photos/a.png"}


def test_pictures_as_bytes_and_path_are_read_from_contents_and_columns(folder: Path) -> None:
    content = [{"type": "image", "image": struct(folder), "text": None}, {"type": "text", "text": "q", "image": None}]
    sample = one(folder, "messages", {"messages": [{"role": "user", "content": content}, MESSAGES[1]]})
    assert sample.media[0].path == str(folder / "photos" / "a.png")
    turns = [{"from": "human", "value": "<image>q"}, TURNS[1]]
    assert one(folder, "conversations", {"image": struct(folder), "conversations": turns}).media == sample.media


def test_parquet_as_hubs_hold_conversations(folder: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    turns = [{"from": "human", "value": "<image>q"}, TURNS[1]]
    rows = [{"id": "1", "image": {"bytes": png(), "path": None}, "conversations": turns}, {"id": "2", "conversations": TURNS}]
    parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "train.parquet")
    first, second = read(f"conversations:{folder}/train.parquet")
    assert first.media[0].data == png() and not second.media


def test_an_empty_file_name_is_no_picture(folder: Path) -> None:
    assert not one(folder, "conversations", {"image": "", "conversations": TURNS}).media


def test_an_absolute_path_inside_the_folder_is_a_file_of_it(folder: Path) -> None:
    turns = [{"from": "human", "value": "<image>q"}, TURNS[1]]
    record = {"image": f"{folder}/photos/a.png", "conversations": turns}
    assert one(folder, "conversations", record, f"?images={folder}/photos").media[0].path == f"{folder}/photos/a.png"
    with pytest.raises(InputError, match="lies outside the folder"):
        one(folder, "conversations", {**record, "image": f"{folder}/photos/../data.json"}, f"?images={folder}/photos")


def test_a_zip_in_a_folders_place_is_named(folder: Path) -> None:
    (folder / "photos.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"photos\.zip is a file, not the folder that media are in: unpack it"):
        one(folder, "conversations", {"conversations": TURNS}, f"?images={folder}/photos.zip")


@pytest.mark.parametrize("layout", ["conversations", "{kind: conversations}", '{"kind":"conversations"}'])
@pytest.mark.parametrize("image", ["0.png", None])
def test_shards_of_conversations_read_the_groups_picture(folder: Path, layout: str, image: str | None) -> None:
    turns = [{"from": "human", "value": "<image>q"}, TURNS[1]]
    record = {"id": "7", "conversations": turns, **({} if image is None else {"image": image})}
    with tarfile.open(folder / "conv.tar", "w") as archive:
        for name, data in (("0.png", png()), ("0.json", json.dumps(record).encode())):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    (sample,) = read(f"shards:{folder}/conv.tar?layout={layout}")
    assert sample.media[0].read_bytes() == png() and sample.meta == {}
    json.dumps(sample.to_json())
    result = CliRunner().invoke(app, ["data", "check", f"shards:{folder}/conv.tar?layout={layout}", "--workers", "1"])
    assert result.exit_code == 0 and "unused key" not in result.output, result.output


def test_what_is_met_and_not_used_is_named_and_counted(folder: Path) -> None:
    turns = [{**TURNS[0], "mood": "kind"}, TURNS[1]]
    records = [
        {"conversations": turns, "img": "photos/a.png", "note": None},
        {"conversations": [TURNS[0], {"from": "gpt", "value": "b"}], "img": "c"},
    ]
    (folder / "data.json").write_text(json.dumps(records))
    spec = f"conversations:{folder}/data.json"
    plain = CliRunner().invoke(app, ["data", "check", spec, "--workers", "1"])
    assert plain.exit_code == 0
    assert "2  note     unused key       'img'" in plain.output
    assert "1  note     unused key       'conversations.mood'" in plain.output
    assert "'note'" not in plain.output
    counted = json.loads(CliRunner().invoke(app, ["data", "check", spec, "--workers", "1", "--json"]).output)
    assert counted["unused_keys"] == {"img": 2, "conversations.mood": 1}
    listed = CliRunner().invoke(app, ["data", "manifest", spec])
    assert json.loads(listed.output)["unused_keys"] == {"looked_at": 2, "keys": {"img": 2, "conversations.mood": 1}}


@pytest.mark.parametrize(("name", "content"), [("data.json", "[]"), ("data.jsonl", "\n")])
def test_data_without_samples_does_not_pass_the_check(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content)
    result = CliRunner().invoke(app, ["data", "check", f"conversations:{folder}/{name}", "--workers", "1"])
    assert isinstance(result.exception, InputError) and "holds no samples" in str(result.exception)


def test_a_table_with_carriage_returns_for_line_ends_is_refused(folder: Path) -> None:
    (folder / "old.csv").write_bytes(b"question,answer\rWhat?,That.\r")
    with pytest.raises(InputError, match="lines end in carriage returns alone"):
        read(f"qa:{folder}/old.csv?image=image?")


def test_marks_of_files_are_not_taught_and_marks_in_texts_are_noted(folder: Path) -> None:
    record = {"conversations": [TURNS[0], {"from": "gpt", "value": "\ufeffone\r\ntwo"}]}
    (folder / "data.json").write_text(json.dumps([record]))
    result = CliRunner().invoke(app, ["data", "check", f"conversations:{folder}/data.json", "--workers", "1"])
    assert "1  note     odd_marks" in result.output and result.exit_code == 0
    with tarfile.open(folder / "cap.tar", "w") as archive:
        for name, data in (("0.png", png()), ("0.txt", "\ufeffone\r\ntwo\r\n".encode())):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    (sample,) = read(f"shards:{folder}/cap.tar")
    assert sample.answers == ("one\ntwo",)


def test_base64_in_the_record_still_works(folder: Path) -> None:
    record = {"instruction": "q", "output": "a", "image": base64.b64encode(png()).decode()}
    assert one(folder, "instructions", record, "?stored=base64").media[0].data == png()


def coco(folder: Path, **annotation: Any) -> str:
    data = {
        "images": [{"id": 1, "file_name": "photos/a.png", "width": 8, "height": 8}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 4, 4], **annotation}],
    }
    (folder / "instances.json").write_text(json.dumps(data))
    return f"coco:{folder}/instances.json"


@pytest.mark.parametrize(("mark", "regions"), [("0", 1), (0, 1), (False, 1), (None, 1), ("1", 0), (1, 0), (True, 0)])
def test_a_crowd_is_what_says_so_in_any_type(folder: Path, mark: object, regions: int) -> None:
    (sample,) = read(coco(folder, iscrowd=mark))
    assert len(sample.regions) == regions


@pytest.mark.parametrize("mark", ["no", 2, [0], 0.5])
def test_another_mark_of_a_crowd_is_refused(folder: Path, mark: object) -> None:
    with pytest.raises(InputError, match=r"'iscrowd' is .* expected 0 or 1"):
        list(read(coco(folder, iscrowd=mark)))


def test_numbers_beyond_floats_are_one_record_that_cannot_be_read(folder: Path) -> None:
    with pytest.raises(InputError, match="a number of 401 digits, which is too large"):
        list(read(coco(folder, bbox=[0, 0, 10**400, 4])))


def test_a_size_that_the_file_contradicts_is_a_problem(folder: Path) -> None:
    spec = coco(folder)
    fine = CliRunner().invoke(app, ["data", "check", spec, "--workers", "1"])
    assert "declared_size" not in fine.output
    Image.new("RGB", (9, 8), "red").save(folder / "photos" / "a.png")
    wrong = CliRunner().invoke(app, ["data", "check", spec, "--workers", "1"])
    assert wrong.exit_code == 1 and "1  problem  declared_size" in wrong.output


@pytest.mark.parametrize("place", [{"offset": -1, "length": 3}, {"offset": "1", "length": 3}, {"offset": 0, "length": 1 << 70}])
def test_byte_ranges_that_are_none_are_refused_where_they_stand(folder: Path, place: dict[str, Any]) -> None:
    turns = [{"role": "user", "content": [{"media": 0}]}, {"role": "assistant", "content": [{"text": "a"}]}]
    record = {"id": "1", "media": [{"kind": "image", "path": "photos/a.png", **place}], "turns": turns}
    (folder / "s.jsonl").write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"s.jsonl: line 1: a byte range's (offset|length) is"):
        list(read(f"samples:{folder}/s.jsonl"))


@pytest.mark.parametrize("place", [(1 << 60, 4), (0, 1 << 60)])
def test_byte_ranges_beyond_their_file_are_missed_bytes_not_memory(folder: Path, place: tuple[int, int]) -> None:
    from vistune.data.media.image import load_image
    from vistune.sample import Media

    with pytest.raises(InputError, match="the file ends after"):
        load_image(Media("image", str(folder / "photos" / "a.png"), *place))
