"""Damaged records in every format: each becomes a sample or one reject line; the others stay what they were."""

from __future__ import annotations

import copy
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.data.sources import SOURCES
from vistune.data.check.run import check
from vistune.data.samples import READERS, read
from vistune.errors import InputError
from vistune.sample import Sample
from vistune.spec import kinds

WRONG: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 10**12, -0.5, 1e308, float("nan"), float("inf"), "", " ", "x", "<image>", "{", "é" * 300,
    "\ud800",
    "../../etc/passwd", "/etc/passwd", "a/../../b.png", "http://a.b/c.jpg", "data:image/png;base64,AAAA", "a\0.png",
    "C:\\x.png",
    [], {}, [None], [[]], [1, 2], [[1, 2, 3, 4]], ["a.png", "b.png"], {"bytes": 5}, {"path": "../x"}, [[[[[[[[]]]]]]]],
)  # fmt: skip
NOT_FILES = {"catalogue", "folder", "mixture", "world"}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from places(inner)


def damaged(record: Any, chance: random.Random) -> Any:
    """One to three faults: a wrong value, a missing key, a renamed key, two values exchanged."""
    record = copy.deepcopy(record)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        spots = list(places(record))
        if not spots:
            break
        container, key = chance.choice(spots)
        fault = chance.choice(("wrong", "wrong", "wrong", "swap", "drop", "rename"))
        if fault == "wrong":
            container[key] = copy.deepcopy(chance.choice(WRONG))
        elif fault == "swap":
            other, there = chance.choice(spots)
            container[key], other[there] = copy.deepcopy(other[there]), copy.deepcopy(container[key])
        elif fault == "drop":
            del container[key]
        elif isinstance(container, dict):
            container[f"{key}_"] = container.pop(key)
    return record


def test_every_reader_of_files_is_fuzzed() -> None:
    assert set(SOURCES) == set(kinds(READERS)) - NOT_FILES


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_undamaged_data_reads_without_findings(kind: str, tmp_path: Path) -> None:
    source = SOURCES[kind]
    data = read(source.write(tmp_path, [source.record(number) for number in range(3)]))
    assert len(data) == 3
    assert check(data, decode=False, allowed=frozenset(["missing_file", "duplicate_id", "duplicate"])).counts["unreadable"] == 0
    assert [data[-1], data[0]] == [list(data)[2], next(iter(data))]


def fuzz(kind: str, folder: Path, wanted: int) -> Counter[str]:
    """Damage records until `wanted` were; two of three in a file, one of three where records hang together.

    What became of them: how many were `tried`, gave a sample (`read`) or an error (`refused`); how many records of a file were
    `lost`, and how many undamaged ones became others (`changed`).
    """
    source, chance, counts = SOURCES[kind], random.Random(kind), Counter[str]()
    size, done, number = (60 if source.alone else 12), 0, 0
    while done < wanted:
        folder_now = folder / str(number)
        folder_now.mkdir()
        number += 1
        whole = [source.record(index) for index in range(size)]
        spec = source.write(folder_now, whole)
        expected = list(read(spec))
        hurt = {index for index in range(size) if (index % 3 if source.alone else index % 3 == 1)}
        done += len(hurt)
        shutil.rmtree(folder_now)
        folder_now.mkdir()
        records = [damaged(record, chance) if index in hurt else record for index, record in enumerate(whole)]
        try:
            given = read_or_refuse(source.write(folder_now, records), folder_now)
            counts.update(account(given, expected, hurt, folder_now, exact=source.alone))
        except (AssertionError, InputError):
            raise
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {str(error)[:200]} in file {number - 1} of {kind}") from error
        shutil.rmtree(folder_now)
    return counts + Counter(tried=done)


def read_or_refuse(spec: dict[str, Any], folder: Path) -> Any:
    try:
        return read(spec)
    except InputError as error:
        assert str(folder) in str(error), f"the file is not named: {error}"
        return None


def account(data: Any, expected: list[Sample], hurt: set[int], folder: Path, *, exact: bool) -> dict[str, int]:
    """Every record is a sample or a reject that names its file; what was not damaged is unchanged."""
    if data is None:
        assert not exact, "one damaged record must not close the whole file"
        return {"refused": len(expected)}
    rejected: dict[int, str] = {}
    changed = 0
    for index in range(len(data)):
        try:
            sample = data[index]
        except InputError as error:
            assert str(folder) in str(error), f"the record is not located: {error}"
            assert "\n" not in str(error), "an error is one line"
            rejected[index] = str(error)
            continue
        changed += exact and index not in hurt and sample != expected[index]
    findings = []
    report = check(data, decode=False, emit=findings.append)
    assert {finding.index: finding.detail for finding in findings if finding.reason == "unreadable"} == rejected
    assert report.samples == len(data)
    lost = (max(0, len(expected) - len(data)) + len(set(rejected) - hurt)) if exact else 0
    return {"read": len(data) - len(rejected), "refused": len(rejected), "lost": lost, "changed": changed}


def check_counts(counts: Counter[str], least: int) -> None:
    assert counts["tried"] >= least and counts["read"] + counts["refused"] > 0
    assert (counts["lost"], counts["changed"]) == (0, 0)


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_three_hundred_damaged_records_are_all_accounted_for(kind: str, tmp_path: Path) -> None:
    check_counts(fuzz(kind, tmp_path, 300), 300)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_ten_thousand_damaged_records_are_all_accounted_for(kind: str, tmp_path: Path) -> None:
    check_counts(fuzz(kind, tmp_path, 10_000), 10_000)
