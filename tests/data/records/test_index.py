"""Offsets of records: equal to what a full parse finds, whatever the chunk size and whatever the text holds."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vistune.data.records import index
from vistune.data.records.json_records import Lines, open_records
from vistune.data.records.strict_json import parse_json
from vistune.errors import InputError

TEXT = st.text(alphabet=st.sampled_from('ab"\\\n[]{},: é\t'), max_size=12)
LEAF = st.none() | st.booleans() | st.integers() | TEXT
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("index")


@settings(max_examples=150, deadline=None)
@given(values=st.lists(VALUE, max_size=6), chunk=st.integers(1, 40), indent=st.sampled_from([None, 1]), ascii=st.booleans())
def test_arrays_and_objects_are_found_whatever_the_chunks(
    folder: Path, values: list[object], chunk: int, indent: int | None, ascii: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "CHUNK", chunk)
        path = folder / "values.json"
        path.write_text(json.dumps(values, indent=indent, ensure_ascii=ascii), encoding="utf-8")
        records = open_records(path)
        assert [records[i] for i in range(len(records))] == values
        nested = {'odd":{"key': [1, {"x": "]"}], "data": {"train": values, "y": 0}}
        path.write_text(json.dumps(nested, indent=indent, ensure_ascii=ascii), encoding="utf-8")
        records = open_records(path, "data.train")
        assert [records[i] for i in range(len(records))] == values
        by_id = {f'{i}"': value for i, value in enumerate(values)}
        path.write_text(json.dumps(by_id, indent=indent, ensure_ascii=ascii), encoding="utf-8")
        records = open_records(path)
        assert [records[i]["@key"] for i in range(len(records))] == list(by_id)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.lists(TEXT, min_size=1, max_size=3), max_size=6), chunk=st.integers(1, 40))
def test_csv_records_may_span_lines(folder: Path, rows: list[list[str]], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "CHUNK", chunk)
        path, buffer = folder / "rows.csv", io.StringIO()
        csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(rows)
        path.write_bytes(buffer.getvalue().encode())
        lines = Lines(path, quoted=True)
        assert [next(csv.reader(io.StringIO(lines[i].decode(), newline=""))) for i in range(len(lines))] == rows


def test_lines_pass_over_blank_ones_and_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\n{"a": 1}\r\n  \n\r\n{"a": 2}')
    records = open_records(path)
    assert [records[i] for i in range(len(records))] == [{"a": 1}, {"a": 2}]
    assert records.where(1) == f"{path}: line 5"


def test_json_lines_are_known_by_content(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": 1}\n{"a": 2}\n')
    assert len(open_records(path)) == 2


@pytest.mark.parametrize("text", ["[]", " [ ] ", "{}"])
def test_an_empty_container_has_no_records(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    assert len(open_records(path)) == 0


@pytest.mark.parametrize(
    "text,at,message",
    [
        ('[{"a": 1}, {"a"', None, "never closes: its element 2 is incomplete"),
        ("[1, 2}", None, "the '\\[' at byte 0 is closed by '}'"),
        ("[1, 2] 3", None, "unexpected data after the JSON value, at byte 7"),
        ("", None, "neither a JSON array"),
        ("hello", None, "neither a JSON array"),
        ('{"question": []}', "questions", "no key 'questions' \\(did you mean 'question'"),
        ('{"a": 5}', "a", "byte 6 begins no JSON array or object"),
        ("[1]", "a", "expected in an object"),
    ],
)
def test_broken_files_are_refused_with_their_place(text: str, at: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        open_records(path, at)


@pytest.mark.parametrize(
    "raw,message",
    [
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b'{"a": -Infinity}', "-Infinity is no JSON number"),
        (b'{"a": 1e999}', "the number 1e999 is too large"),
        (b'{"a": 1, "a": 2}', "the key 'a' is given twice"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair"),
        (b'{"a": "\xff"}', "byte 7 of the record is not UTF-8"),
        (b'{"a": ', "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 5000, "line 1: "),
    ],
)
def test_what_python_would_accept_or_choke_on_is_refused_by_line(raw: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(raw + b"\n")
    with pytest.raises(InputError, match=message):
        open_records(path)[0]


def test_a_file_that_shrank_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n')
    records = open_records(path)
    path.write_text('{"a": 1}\n')
    with pytest.raises(InputError, match="has changed since it was opened"):
        records[1]


def test_an_open_quote_in_a_csv_is_located(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,"2\n')
    with pytest.raises(InputError, match="the quote at byte 6 never closes"):
        Lines(path, quoted=True)


@pytest.mark.parametrize("name,old,new", [("x.jsonl", b'{"a": 1}\n', b'{"b": 2}\n'), ("x.json", b'[{"a": 1}]', b'[{"b": 2}]')])
def test_a_file_that_was_written_again_is_not_read_by_old_offsets(tmp_path: Path, name: str, old: bytes, new: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(old)
    os.utime(path, ns=(0, 0))
    records = open_records(path)
    assert records[0] == {"a": 1}
    path.write_bytes(new)
    with pytest.raises(InputError, match="has changed since it was opened: open the data again"):
        records[0]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\n')
    records = open_records(tmp_path / "x.jsonl")
    assert [records[0], records[1]] == [{"a": 1}, {"a": 2}]


def test_runs_of_backslashes_cost_their_length_wherever_chunks_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run over many chunks, and many quotes behind runs: each was walked back byte by byte."""
    values = ["\\" * size + '"' * (size % 3) for size in (0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 1000)] + ['\\"' * 500]
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"a": value} for value in values]))
    for chunk in (1, 2, 7, 64, 4 << 20):
        monkeypatch.setattr(index, "CHUNK", chunk)
        records = open_records(path)
        assert [records[number]["a"] for number in range(len(records))] == values
    monkeypatch.setattr(index, "CHUNK", 4 << 20)
    path.write_text(json.dumps([{"a": "\\" * (8 << 20)}, {"a": "b"}]))
    assert len(open_records(path)) == 2


def test_a_repeated_key_among_many_is_named_in_one_pass() -> None:
    body = ",".join(f'"{number}":1' for number in range(200_000))
    with pytest.raises(InputError, match="the key '199999' is given twice"):
        parse_json(f'{{{body},"199999":2}}'.encode(), "x")
