"""No bytes crash a benchmark: its own fixture with one field changed is read, or refused in a sentence.

Every value of every JSON, JSONL, CSV and parquet file of a fixture is replaced in turn by values of other types, or left out,
in the annotations and in the results; what is not refused must have been read as it is written.
"""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_benchmark_contract import CASES, FIXTURES, Case

from vistune.errors import InputError
from vistune.evals.score import BENCHMARKS, open_benchmark, read_answers, score_samples
from vistune.spec import kinds

NAMES = kinds(BENCHMARKS)
ABSENT = object()
VALUES: tuple[Any, ...] = (
    *(ABSENT, None, True, -1, 3, 2.5, 10**400, 1e308, "", " ", "x", "\ud800", "../x", "a\x00b", "9" * 30, "1e5"),
    *([], ["x"], [None], [[]], {}, {"x": None}, {"bytes": None}),
)


def mutations(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all values in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from mutations(inner, (*path, key))


def mutated(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    changed = copy.deepcopy(value)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    if new is ABSENT:
        del inner[place[-1]]
    else:
        inner[place[-1]] = new
    return changed


def texts(path: Path, generator: random.Random, count: int) -> Iterator[bytes]:
    """Mutated contents of a text file: of JSON field by field, of others by line and by byte."""
    raw = path.read_bytes()
    try:
        lines = [json.loads(raw)]
    except ValueError:
        try:
            lines = [json.loads(line) for line in raw.splitlines() if line.strip()]
        except ValueError:
            lines = []
    for _ in range(count):
        if lines and generator.random() < 0.9:
            number = generator.randrange(len(lines))
            places = list(mutations(lines[number]))
            new = lines[number] if not places else mutated(lines[number], generator.choice(places), generator.choice(VALUES))
            yield "\n".join(json.dumps(new if at == number else line) for at, line in enumerate(lines)).encode()
        else:
            yield _bytes_changed(raw, generator)


def _bytes_changed(raw: bytes, generator: random.Random) -> bytes:
    at = generator.randrange(len(raw) + 1)
    cut = generator.choice((raw[:at], raw[:at] + raw[at + 1 :], raw[:at] + bytes([generator.randrange(256)]) + raw[at:]))
    return generator.choice((cut, raw[:at] + b"\t" + raw[at:], raw[:at] + b"\n" + raw[at:], raw[:at] + b'"' + raw[at:]))


def tables(path: Path, generator: random.Random, count: int) -> Iterator[bytes]:
    """Mutated parquet files: a column of another type, without a column, without bytes."""
    import pyarrow
    from pyarrow import parquet

    table = parquet.read_table(path).to_pylist()
    for _ in range(count):
        column, new = generator.choice(list(table[0])), generator.choice(VALUES)
        rows = [{k: v for k, v in row.items() if k != column} if new is ABSENT else {**row, column: new} for row in table]
        sink = pyarrow.BufferOutputStream()
        try:
            parquet.write_table(pyarrow.Table.from_pylist(rows), sink)
        except (pyarrow.ArrowException, UnicodeError, OverflowError, ValueError):
            continue  # parquet has no such value
        yield sink.getvalue().to_pybytes()


def files_of(kind: str) -> list[Path]:
    return [path for path in sorted((FIXTURES / kind).rglob("*")) if path.is_file()]


def fuzz(kind: str, folder: Path, count: int, seed: int, *, results: bool) -> int:
    """How many mutated files were tried; a failure is whatever is raised that is no `InputError`."""
    generator, case = random.Random(seed), CASES.get(kind, Case())
    bench = open_benchmark({"kind": kind, **dict(case.spec)})
    copied = folder / kind
    shutil.copytree(FIXTURES / kind, copied)
    samples = bench.read(str(copied / case.source))
    chosen = [path for path in files_of(kind) if path.relative_to(FIXTURES / kind).parts[0].startswith("results") == results]
    tried = 0
    for path in chosen:
        place = copied / path.relative_to(FIXTURES / kind)
        make = tables if path.suffix == ".parquet" else texts
        for content in make(path, generator, -(-count // len(chosen))):
            place.write_bytes(content)
            tried += 1
            try:
                read = samples if results else bench.read(str(copied / case.source))
                name = next(iter(sorted(copied.glob("results*"))))
                found = read_answers(bench, name, read)
                if case.judge is None:
                    score_samples(bench, read, found)
            except InputError as error:
                assert str(error) and "\n" not in str(error), content[:300]
            except Exception as error:
                raise AssertionError(f"{type(error).__name__}: {error} from {content[:600]!r}") from error
        shutil.copy(path, place)
    return tried


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("results", [False, True], ids=["annotations", "results"])
def test_a_changed_field_ends_in_a_sentence(kind: str, results: bool, tmp_path: Path) -> None:
    assert fuzz(kind, tmp_path, 30, seed=len(kind), results=results) >= 15


@pytest.mark.slow
@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("results", [False, True], ids=["annotations", "results"])
def test_five_hundred_changed_fields_end_in_a_sentence(kind: str, results: bool, tmp_path: Path) -> None:
    assert fuzz(kind, tmp_path, 500, seed=500 + len(kind), results=results) >= 250
