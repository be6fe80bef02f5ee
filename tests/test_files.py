"""Files appear whole or not at all; broken ones are named with the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from vistune.errors import InputError
from vistune.files import atomic_open, dump_yaml, parse_yaml, read_json, read_jsonl, sha256, write_json, write_jsonl


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_open(file) as handle:
        handle.write("new")
        _ = 1 / 0
    assert file.read_text() == "old" and [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_json_round_trips_and_refuses_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"é": [1, None]})
    assert read_json(tmp_path / "a.json") == {"é": [1, None]}
    with pytest.raises(ValueError, match="nan"):
        write_json(tmp_path / "b.json", float("nan"))
    assert not (tmp_path / "b.json").exists()


def test_jsonl_numbers_lines_from_one_and_passes_blank_ones(tmp_path: Path) -> None:
    assert write_jsonl(tmp_path / "a.jsonl", [1, 2]) == 2
    (tmp_path / "b.jsonl").write_text('{"a": 1}\n\n[2]\n')
    assert list(read_jsonl(tmp_path / "b.jsonl")) == [(1, {"a": 1}), (3, [2])]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'{"a": 1', "line 1"),
        (b"\xff{}", "not UTF-8"),
        (b"[" * 100_000, "line 1|nested too deeply"),
        (b"9" * 5_000, "a number that is too long"),
    ],
    ids=["cut", "binary", "deep", "long"],
)
def test_broken_json_is_named_with_the_place(content: bytes, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(content)
    for read in (read_json, lambda path: list(read_jsonl(path))):
        with pytest.raises(InputError, match=f"a.json.*({complaint}|byte)"):
            read(tmp_path / "a.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*gone\.json: No such file"):
        read_json(tmp_path / "gone.json")


def test_yaml_reads_exponents_as_numbers_and_builds_no_objects() -> None:
    assert parse_yaml("{a: 1e-3, b: -2E5, c: 1e, d: 0x10}", "x") == {"a": 0.001, "b": -200000.0, "c": "1e", "d": 16}
    with pytest.raises(InputError, match="x is not YAML"):
        parse_yaml("!!python/object/apply:os.system ['true']", "x")


def test_sha256_of_a_known_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: &x {b: *x}", "contains itself"),
        ("&x [1, *x]", "contains itself"),
        ("[" * 200 + "]" * 200, "nested too deeply"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        (
            "a: &a [1,1,1,1,1,1,1,1]\n"
            + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 8)}]\n" for a, b in ["ab", "bc", "cd", "de", "ef", "fg"]),
            "repeats its parts",
        ),
    ],
)
def test_yaml_that_cannot_be_written_out_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=f"run.yaml .*{complaint}"):
        parse_yaml(text, "run.yaml")


def test_yaml_may_repeat_a_part() -> None:
    assert parse_yaml("a: &x {b: 1}\nc: [*x, *x]", "run.yaml") == {"a": {"b": 1}, "c": [{"b": 1}, {"b": 1}]}


def test_what_is_written_as_yaml_is_read_back_as_it_was() -> None:
    value = {"texts": ["1e5", "-2E-3", "1.5e+2", "yes", "null", "0x1f", "1_000", "é"], "numbers": [1e5, 1e-3, 3], "none": None}
    assert parse_yaml(dump_yaml(value), "here") == value
