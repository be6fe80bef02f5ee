"""Damage to any file of any data set is an error that names the file: never a traceback, never a silent change."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vistune.data.media.image import load_image
from vistune.data.samples import read
from vistune.errors import InputError

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(path.stem for path in FIXTURES.glob("*.jsonl"))
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".gif")
FOREIGN = (b"\0", b"\xff", b'"', b"\n", b"\t", b",", b"NaN", b"1e999", b"\xed\xa0\x80", b"[" * 99)
FOLDERS = ("ade20k", "caltech101", "cityscapes", "davis", "imagenet", "modelnet40", "objaverse")
"""Data sets that are whatever lies in their folders: no list says that a file is missing."""
WRONG: tuple[Any, ...] = (None, True, -1, 7.5, "", "x" * 9, "../../etc/passwd", "http://a.b/c.jpg", [], {}, [None], [[]])


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[str], Path]:
    def copied(case: str) -> Path:
        name = case.partition(".")[0]
        return Path(shutil.copytree(FIXTURES / name, tmp_path / name))

    return copied


def outcome(case: str, folder: Path, *, decode: bool = False) -> list[Any] | InputError:
    """All samples as JSON, or the error. Anything else that escapes is what these tests are for."""
    name, _, part = case.partition(".")
    spec = {"kind": "catalogue", "name": name, "path": str(folder), **({"part": part} if part else {})}
    try:
        samples = list(read(spec))
        for medium in (medium for sample in samples for medium in sample.media if decode and medium.kind == "image"):
            load_image(medium)
        return [sample.to_json() for sample in samples]
    except InputError as error:
        return error


def located(error: InputError, folder: Path) -> bool:
    """Does the sentence name a file of the data set, or a medium held in one?"""
    return str(folder) in str(error) or "in memory" in str(error)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("case", CASES)
def test_one_byte_less(case: str, copy: Callable[[str], Path]) -> None:
    folder = copy(case)
    whole = outcome(case, folder, decode=True)
    assert isinstance(whole, list)
    for path in files(folder):
        data = path.read_bytes()
        path.write_bytes(data[:-1])
        result = outcome(case, folder, decode=True)
        path.write_bytes(data)
        if isinstance(result, InputError):
            assert located(result, folder), f"{path.name}: {result}"
        else:
            assert result == whole, f"{path.name} lost a byte and was read as something else"


@pytest.mark.parametrize("case", CASES)
def test_missing_file(case: str, copy: Callable[[str], Path]) -> None:
    folder = copy(case)
    whole = outcome(case, folder, decode=True)
    assert isinstance(whole, list)
    for path in files(folder):
        moved = path.rename(folder.parent / "away")
        result = outcome(case, folder, decode=True)
        moved.rename(path)
        if isinstance(result, InputError):
            assert located(result, folder), f"{path.name}: {result}"
        else:
            assert result == whole or (case in FOLDERS and all(sample in whole for sample in result)), path.name


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value: (container, key)."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from leaves(inner)


def load(path: Path) -> list[Any] | None:
    """The JSON values of a file, one a line or one in all; None for another kind of file."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix in (".json", ".jsonl") and not text.count("\n{"):
            return [json.loads(text)]
        return [json.loads(line) for line in text.splitlines()] if path.suffix in (".json", ".jsonl") else None
    except ValueError:
        return None


def dump(path: Path, values: list[Any]) -> None:
    path.write_text("\n".join(json.dumps(value, ensure_ascii=False) for value in values) + "\n", encoding="utf-8")


Changed = Iterator[tuple[str, Any]]
"""What was done to a file, and what reading gave then."""


def told(result: Any, folder: Path) -> bool:
    """Is it samples, or an error that says where?"""
    return not isinstance(result, InputError) or located(result, folder)


def mutate_json(case: str, folder: Path, tries: int, seed: int) -> Changed:
    """Wrong types, missing keys and swapped values at `tries` places of each JSON file."""
    chance = random.Random(f"{case}/{seed}")
    for path in files(folder):
        values = load(path)
        if values is None:
            continue
        original = path.read_bytes()
        for _ in range(tries):
            values = load(path) or []
            places = list(leaves(values))
            container, key = chance.choice(places)
            kind = chance.choice(("wrong", "wrong", "swap", "drop"))
            if kind == "wrong":
                container[key] = chance.choice(WRONG)
            elif kind == "swap":
                other, there = chance.choice(places)
                container[key], other[there] = json.loads(json.dumps([other[there], container[key]]))
            else:
                del container[key]
            dump(path, values)
            yield f"{path.name}, {kind} at {key!r}", outcome(case, folder)
            path.write_bytes(original)


def mutate_bytes(case: str, folder: Path, tries: int, seed: int) -> Changed:
    """Flipped, dropped, doubled and foreign bytes at `tries` places of each file that is no picture."""
    chance = random.Random(f"{case}/{seed}")
    for path in files(folder):
        original = path.read_bytes()
        if path.suffix.lower() in PICTURES or not original:
            continue
        for _ in range(tries):
            data, at = bytearray(original), chance.randrange(len(original))
            kind = chance.choice(("flip", "drop", "double", "foreign"))
            if kind == "flip":
                data[at] ^= 1 << chance.randrange(8)
            elif kind == "drop":
                del data[at : at + chance.randrange(1, 9)]
            elif kind == "double":
                data[at:at] = data[at : at + chance.randrange(1, 9)]
            else:
                data[at:at] = chance.choice(FOREIGN)
            path.write_bytes(data)
            yield f"{path.name}, {kind} at byte {at}", outcome(case, folder)
        path.write_bytes(original)


@pytest.mark.parametrize("case", CASES)
def test_wrong_fields_sampled(case: str, copy: Callable[[str], Path]) -> None:
    folder = copy(case)
    for change, result in mutate_json(case, folder, tries=3, seed=0):
        assert told(result, folder), f"{change}: {result}"


@pytest.mark.parametrize("case", CASES)
def test_wrong_bytes_sampled(case: str, copy: Callable[[str], Path]) -> None:
    folder = copy(case)
    for change, result in mutate_bytes(case, folder, tries=3, seed=0):
        assert told(result, folder), f"{change}: {result}"


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_wrong_fields(case: str, copy: Callable[[str], Path]) -> None:
    folder = copy(case)
    for change, result in mutate_json(case, folder, tries=100, seed=1):
        assert told(result, folder), f"{change}: {result}"


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_wrong_bytes(case: str, copy: Callable[[str], Path]) -> None:
    folder = copy(case)
    for change, result in mutate_bytes(case, folder, tries=60, seed=1):
        assert told(result, folder), f"{change}: {result}"
