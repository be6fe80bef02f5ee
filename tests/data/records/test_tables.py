"""Delimited text, parquet, joins and nested lists as raw records."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vistune.data.records.delimited import Beside, Delimited
from vistune.data.records.tables import Joined, Unnested, open_table
from vistune.errors import InputError

FIELD = st.text(alphabet=st.sampled_from('ab",\n é|'), max_size=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(FIELD, min_size=2, max_size=2), max_size=5),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_what_the_csv_module_writes_is_read_back(folder: Path, rows: list[list[str]], quoting: int) -> None:
    path = folder / "rows.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=quoting).writerows([["x", "y"], *rows])  # type: ignore[arg-type]
    table = open_table(path)
    assert [list(table[i].values()) for i in range(len(table))] == rows


def test_tsv_takes_quotes_as_text_and_pipe_text_needs_its_columns(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('\ufeffid\ttext\n1\tsay "hi"\n', encoding="utf-8")
    assert open_table(tmp_path / "a.tsv")[0] == {"id": "1", "text": 'say "hi"'}
    (tmp_path / "a.txt").write_text("im1|what?|cat\n")
    assert open_table(tmp_path / "a.txt", delimiter="|", columns=["i", "q", "a"])[0] == {"i": "im1", "q": "what?", "a": "cat"}
    with pytest.raises(InputError, match="Name its delimiter"):
        open_table(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "text,message",
    [
        ("a,b\n1\n", "line 2: 1 fields for the 2 columns"),
        ("a,b\n1,2,3\n", "line 2: 3 fields for the 2 columns"),
        ('a,b\n"1"x,2\n', "line 2: text follows the closing quote of field 1"),
        ('a,b\nx"1",2\n', "line 2: field 1 holds a quote but does not begin with one"),
        ("a,b\n1,\x00\n", "line 2: the record holds a zero byte"),
    ],
)
def test_broken_rows_are_located(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        open_table(path)[0]


@pytest.mark.parametrize("text,message", [("", "has no header line"), ("a,a\n", "two columns of the same name")])
def test_broken_headers_are_refused_at_the_door(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        open_table(path)


def test_parquet_rows_by_index_across_row_groups(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"x": list(range(7)), "image": [{"bytes": b"\1", "path": "p"}] * 7}), path, row_group_size=3)
    table = open_table(path)
    assert len(table) == 7 and [table[i]["x"] for i in (6, 0, 3, 2)] == [6, 0, 3, 2]
    assert table[5]["image"] == {"bytes": b"\1", "path": "p"}
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="is no whole parquet file"):
        open_table(path)


def files(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "q.json").write_text(json.dumps({"questions": [{"id": 1, "q": "a"}, {"id": 2, "q": "b"}]}))
    (tmp_path / "a.json").write_text(json.dumps({"annotations": [{"qid": 1, "answer": "x"}]}))
    return str(tmp_path / "q.json"), str(tmp_path / "a.json")


def test_a_join_merges_records_and_names_the_one_without_partner(tmp_path: Path) -> None:
    questions, answers = files(tmp_path)
    joined = Joined(open_table(questions, "questions"), open_table(answers, "annotations"), "id=qid")
    assert joined[0] == {"id": 1, "q": "a", "qid": 1, "answer": "x"}
    with pytest.raises(InputError, match=r"q.json: record 2 .*: id 2 has no partner"):
        joined[1]


def test_a_join_on_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    questions, answers = files(tmp_path)
    Path(answers).write_text('[{"qid": 1}, {"qid": 1}]')
    with pytest.raises(InputError, match=r"record 2 .*: qid 1 was given before"):
        Joined(open_table(questions, "questions"), open_table(answers), "id=qid")


def test_nested_lists_become_records_and_a_broken_one_stays_visible(tmp_path: Path) -> None:
    path = tmp_path / "vg.json"
    path.write_text(
        json.dumps([{"id": 5, "qas": [{"q": "a"}, {"q": "b"}]}, {"id": 6, "qas": []}, {"id": 7}, {"id": 8, "qas": ["c"]}])
    )
    records = Unnested(open_table(path), ["qas"])
    assert len(records) == 4
    assert [records[0], records[1], records[3]] == [{"id": 5, "q": "a"}, {"id": 5, "q": "b"}, {"id": 8, "value": "c"}]
    with pytest.raises(InputError, match=r"record 3 .*: the key 'qas' is missing"):
        records[2]


def test_delimiters_are_one_character(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x\n")
    with pytest.raises(InputError, match="one character"):
        Delimited(tmp_path / "a.txt", "||", None, quoted=False)


def test_lines_that_belong_together_are_numbered_as_they_stand_in_their_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("u1\n\nu3\n")
    (tmp_path / "b").write_text("c1\n\nc3\n")
    table = Beside(tmp_path / "a", tmp_path / "b")
    assert [table[index] for index in range(len(table))] == [
        {"line": "u1", "beside": "c1", "@number": 1},
        {"line": "u3", "beside": "c3", "@number": 3},
    ]


def test_a_line_that_is_blank_in_one_file_alone_shifts_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("u1\n\nu3\nu4\n")
    (tmp_path / "b").write_text("c1\nc2\n\nc4\n")
    with pytest.raises(InputError, match=r"/a: line 2 is blank, but that of .*/b is not"):
        Beside(tmp_path / "a", tmp_path / "b")
