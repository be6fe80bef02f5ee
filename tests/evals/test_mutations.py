"""No bytes crash a benchmark: its own fixture with one field changed is read, or refused in a sentence.

Values of the JSON, JSONL, CSV and parquet files of a fixture are replaced by values of other types, or left out, in the
annotations and in the results. Of what is not refused, what was read is compared with what was written: the changed record
gives as many samples (or predictions) as before, and all that is not made of it stays what it was.
"""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.evals.test_benchmark_contract import CASES, FIXTURES, Case
from vistune.errors import InputError
from vistune.evals.score import BENCHMARKS, open_benchmark, read_answers, read_samples, score_samples
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


@dataclass(frozen=True)
class Change:
    """A changed file; `without` is the file without the record that was changed, where a record was, `inside` a part of it."""

    content: bytes
    without: bytes | None = None
    inside: bool = False


@dataclass
class Counts:
    """What became of changed files. `lost`: records that gave no sample and no error; `changed`: others that became others."""

    tried: int = 0
    refused: int = 0
    compared: int = 0
    lost: int = 0
    changed: int = 0
    examples: list[str] = field(default_factory=list)


def texts(path: Path, generator: random.Random, count: int) -> Iterator[Change]:
    """Mutated contents of a text file: of JSON field by field, of others by line and by byte."""
    raw = path.read_bytes()
    try:
        lines, many = [json.loads(raw)], False
    except ValueError:
        try:
            lines, many = [json.loads(line) for line in raw.splitlines() if line.strip()], True
        except ValueError:
            lines, many = [], False
    for _ in range(count):
        if lines and generator.random() < 0.9:
            number = generator.randrange(len(lines))
            places = list(mutations(lines[number]))
            place, value = generator.choice(places) if places else (), generator.choice(VALUES)
            new = mutated(lines[number], place, value) if places else lines[number]
            record = () if many else record_of(place)
            without = _dumped(lines[:number] + lines[number + 1 :]) if many else _dumped([mutated(lines[0], record, ABSENT)])
            held = _at(lines[number], place) if places else None
            listed = isinstance(held, list | dict) or str(place[-1:]).strip("(),'").isdecimal()  # a thing under its number
            emptied = listed and (value is ABSENT or value in ([], {}))
            inside = len(place) > len(record) and not emptied  # a record may hold none of what it lists
            yield Change(_dumped([*lines[:number], new, *lines[number + 1 :]]), without, inside)
        else:
            yield Change(_bytes_changed(raw, generator))


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        value = value[key]
    return value


def record_of(place: tuple[Any, ...]) -> tuple[Any, ...]:
    """The place of the record that a value is in: up to the first list's index, or the first key of an object."""
    indexes = [at for at, key in enumerate(place) if isinstance(key, int)]
    return place[: indexes[0] + 1] if indexes else place[:1]


def _dumped(lines: list[Any]) -> bytes:
    return "\n".join(json.dumps(line) for line in lines).encode()


def _bytes_changed(raw: bytes, generator: random.Random) -> bytes:
    at = generator.randrange(len(raw) + 1)
    cut = generator.choice((raw[:at], raw[:at] + raw[at + 1 :], raw[:at] + bytes([generator.randrange(256)]) + raw[at:]))
    return generator.choice((cut, raw[:at] + b"\t" + raw[at:], raw[:at] + b"\n" + raw[at:], raw[:at] + b'"' + raw[at:]))


def tables(path: Path, generator: random.Random, count: int) -> Iterator[Change]:
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
        yield Change(sink.getvalue().to_pybytes())


def files_of(kind: str) -> list[Path]:
    return [path for path in sorted((FIXTURES / kind).rglob("*")) if path.is_file()]


class Tried:
    """A benchmark over a copy of its fixture, whose files are changed one at a time."""

    def __init__(self, kind: str, folder: Path, *, results: bool) -> None:
        self.case, self.copied, self.results = CASES.get(kind, Case()), folder / kind, results
        self.bench = open_benchmark({"kind": kind, **dict(self.case.spec)})
        shutil.copytree(FIXTURES / kind, self.copied)
        self.samples = self.bench.read(str(self.copied / self.case.source))
        self.given = next(iter(sorted(self.copied.glob("results*"))))

    def read(self) -> dict[str, Any]:
        """What the files give now, each sample or prediction under its id and number; scored, too, where no judge is needed."""
        samples = self.samples if self.results else read_samples(self.bench, str(self.copied / self.case.source))
        found = read_answers(self.bench, self.given, samples)
        if self.case.judge is None:
            score_samples(self.bench, samples, found, partial=True)
        seen: Counter[str] = Counter()
        read = {}
        for item in found.predictions if self.results else samples:
            seen[item.id] += 1
            read[f"{item.id} {seen[item.id]}"] = {**item.to_json(), "origin": ""}
        return read

    def with_file(self, place: Path, content: bytes) -> dict[str, Any] | None:
        """`read` with a file of this content, `None` where it is refused."""
        place.write_bytes(content)
        try:
            return self.read()
        except InputError as error:
            assert str(error) and "\n" not in str(error), content[:300]
            return None
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error} from {content[:600]!r}") from error


def fuzz(kind: str, folder: Path, count: int, seed: int, *, results: bool) -> Counts:
    """What became of `count` changed files; a failure is whatever is raised that is no `InputError`."""
    generator, tried, counts = random.Random(seed), Tried(kind, folder, results=results), Counts()
    chosen = [path for path in files_of(kind) if path.relative_to(FIXTURES / kind).parts[0].startswith("results") == results]
    for path in chosen:
        place = tried.copied / path.relative_to(FIXTURES / kind)
        make = tables if path.suffix == ".parquet" else texts
        before, without = tried.read(), dict[bytes, Any]()
        for change in make(path, generator, -(-count // len(chosen))):
            counts.tried += 1
            after = tried.with_file(place, change.content)
            if after is None:
                counts.refused += 1
            elif change.without is not None:
                if change.without not in without:
                    without[change.without] = tried.with_file(place, change.without)
                lost, changed = compared(before, without[change.without], after, inside=change.inside)
                counts.compared, counts.lost, counts.changed = counts.compared + 1, counts.lost + lost, counts.changed + changed
                if lost or changed:
                    counts.examples.append(f"{path.name}: {lost} lost, {changed} changed by {change.content[:400]!r}")
        shutil.copy(path, place)
    return counts


def compared(before: dict[str, Any], without: dict[str, Any] | None, after: dict[str, Any], *, inside: bool) -> tuple[int, int]:
    """How many records were lost, and how many that do not depend on the changed one became others."""
    own = {name for name in before if without is None or without.get(name) != before[name]}
    others = before.keys() - own
    lost = sum(name not in after for name in others)
    if inside:
        lost += max(0, len(own) - len(after.keys() - others))
    return lost, sum(name in after and after[name] != before[name] for name in others)


def check(counts: Counts, least: int) -> None:
    assert counts.tried >= least
    assert not counts.lost and not counts.changed, counts.examples[:3]


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("results", [False, True], ids=["annotations", "results"])
def test_a_changed_field_ends_in_a_sentence(kind: str, results: bool, tmp_path: Path) -> None:
    check(fuzz(kind, tmp_path, 30, seed=len(kind), results=results), 15)


@pytest.mark.slow
@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("results", [False, True], ids=["annotations", "results"])
def test_five_hundred_changed_fields_end_in_a_sentence(kind: str, results: bool, tmp_path: Path) -> None:
    check(fuzz(kind, tmp_path, 500, seed=500 + len(kind), results=results), 250)
