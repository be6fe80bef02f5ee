"""Many files as one table."""

from __future__ import annotations

from pathlib import Path

import pytest

from vistune.data.records.file_patterns import expand
from vistune.data.records.tables import open_table
from vistune.errors import InputError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("seq_1/qa/b_QA.txt", "seq_1/qa/a_QA.txt", "seq_1/qa/notes.md", "seq_2/qa/a_QA.txt", "other/qa/a_QA.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"first {name}|1\nsecond {name}|2\n")
    return tmp_path


def test_braces_match_and_become_keys(tree: Path) -> None:
    found = expand(f"{tree}/seq_{{sequence}}/qa/{{frame}}_QA.txt")
    assert [(path.name, names) for path, names in found] == [
        ("a_QA.txt", {"sequence": "1", "frame": "a"}),
        ("b_QA.txt", {"sequence": "1", "frame": "b"}),
        ("a_QA.txt", {"sequence": "2", "frame": "a"}),
    ]


def test_records_of_all_files_in_order(tree: Path) -> None:
    rows = open_table(f"{tree}/seq_{{sequence}}/qa/{{frame}}_QA.txt", delimiter="|", columns=["text", "answer"])
    assert len(rows) == 6
    assert rows[3] == {"sequence": "1", "frame": "b", "@number": 2, "text": "second seq_1/qa/b_QA.txt", "answer": "2"}
    assert rows.where(3) == f"{tree}/seq_1/qa/b_QA.txt: line 2"


def test_a_name_used_twice_means_the_same_text(tmp_path: Path) -> None:
    for name in ("a/a.json", "a/b.json", "b/b.json", "c/ccc.json", "c/c-c.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert [names["x"] for _, names in expand(f"{tmp_path}/{{x}}/{{x}}.json")] == ["a", "b"]
    assert [path.name for path, _ in expand(f"{tmp_path}/c/{{x}}-{{x}}.json")] == ["c-c.json"]


def test_own_keys_of_a_record_win(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"file": "mine"}\n')
    assert open_table(f"{tmp_path}/{{file}}.jsonl")[0]["file"] == "mine"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{x}/none.txt", "no file is called"),
        ("{0}.txt", r"plain names in braces, not \{0\}"),
        ("{x:3}.txt", "plain names"),
        ("{x.txt", "is broken"),
        ("gone/{x}.txt", "cannot read the folder"),
    ],
)
def test_patterns_that_match_nothing_or_are_broken(tree: Path, pattern: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        expand(f"{tree}/{pattern}")


def test_records_with_wanted_values(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"split": "train", "n": 1}\n{"split": "test", "n": 2}\n{"split": "val", "n": 3}\nbroken\n'
    )
    path = tmp_path / "a.jsonl"
    rows = open_table(path, keep={"split": ["train", "val"]})
    assert [rows[index]["n"] for index in range(2)] == [1, 3]
    with pytest.raises(InputError, match="line 4: not JSON"):  # kept, so that it is reported
        rows[2]
    (tmp_path / "b.jsonl").write_text('{"split": "train"}\n')
    with pytest.raises(InputError, match="none has"):
        open_table(tmp_path / "b.jsonl", keep={"split": "dev"})


def test_a_whole_file_as_one_record(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.json").write_text(f'{{"scene": "{name}", "objects": [1, 2]}}')
    rows = open_table(f"{tmp_path}/{{file}}.json", at=".")
    assert [rows[index]["scene"] for index in range(len(rows))] == ["one", "two"]
    with pytest.raises(InputError, match="no such file"):
        open_table(tmp_path / "three.json", at=".")
    with pytest.raises(InputError, match="File name too long"):
        open_table(tmp_path / ("é" * 300), at=".")


def test_records_of_a_listed_split(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"7": [1], "8": [2], "9": [3]}')
    (tmp_path / "split.json").write_text('["9", "7"]')
    rows = open_table(tmp_path / "a.json", among={"@key": str(tmp_path / "split.json")})
    assert [row["@key"] for row in rows] == ["7", "9"]
    (tmp_path / "split.json").write_text('{"9": 1}')
    with pytest.raises(InputError, match=r"split.json: expected a JSON list of texts or whole numbers"):
        open_table(tmp_path / "a.json", among={"@key": str(tmp_path / "split.json")})
