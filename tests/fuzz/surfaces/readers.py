"""Readers of data: every reader's own files, and every data set of the catalogue, with damaged records and damaged bytes.

What must hold: each record is a sample or one reject that names its file, and what was not damaged is what it was.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

from tests.data.sources import SOURCES, dumps
from tests.fuzz.changes import json_text, raw, tree
from tests.fuzz.oracles import Case, Changed
from vistune.data.check.run import check
from vistune.data.samples import read
from vistune.data.stats import stats_of
from vistune.errors import InputError

_FIXTURES = Path(__file__).parents[2] / "data" / "fixtures"
_RECORDS = 6
_HURT = (1, 4)


class Surface:
    """Records of every reader, and fixtures of the catalogue linked into the case's folder but for the damaged file."""

    def __init__(self, folder: Path) -> None:
        self._kinds = sorted(SOURCES)
        self._whole: dict[str, list[Any]] = {}
        self._cases = sorted(path.stem for path in _FIXTURES.glob("*.jsonl"))
        self._folder = folder

    def make(self, chance: random.Random, room: Path) -> Case:
        """Damaged records of a reader, or a damaged file of a data set."""
        return self._records(chance, room) if chance.random() < 0.5 else self._dataset(chance, room)

    def _records(self, chance: random.Random, room: Path) -> Case:
        kind = chance.choice(self._kinds)
        source = SOURCES[kind]
        place = room / "data"
        place.mkdir()
        records = [source.record(number) for number in range(_RECORDS)]
        if kind not in self._whole:
            self._whole[kind] = [sample.to_json() for sample in read(source.write(place, records))]
            shutil.rmtree(place)
            place.mkdir()
        hurt = set(_HURT) if source.alone else set(range(_RECORDS))
        known = [value for record in records[:1] for value in (record.values() if isinstance(record, dict) else ())]
        try:
            spec = source.write(
                place, [tree(record, chance, known) if n in hurt else record for n, record in enumerate(records)]
            )
        except Exception:  # noqa: BLE001 - the format cannot hold such a value: no input
            spec = source.write(place, records)
        if chance.random() < 0.2:
            hurt = set(range(_RECORDS))
            _spoil(chance.choice([path for path in sorted(place.rglob("*")) if path.is_file()]), chance)
        # Paths in `json` of in-memory media do not matter; those of files differ only in the folder, which is the same.
        expected = self._whole[kind] if len(hurt) < _RECORDS else None
        return Case(f"reader {kind}", lambda: _check(spec, place, expected, hurt), inside=True)

    def _dataset(self, chance: random.Random, room: Path) -> Case:
        name = chance.choice(self._cases)
        base, _, part = name.partition(".")
        place = room / base
        shutil.copytree(_FIXTURES / base, place, copy_function=os.link if _same_disk(room) else shutil.copy)
        file = chance.choice([path for path in sorted(place.rglob("*")) if path.is_file()])
        _spoil(file, chance)
        spec = {"kind": "catalogue", "name": base, "path": str(place), **({"part": part} if part else {})}
        return Case(
            f"catalogue {'json' if file.suffix.startswith('.json') else 'other'}",
            lambda: _check(spec, place, None, set()),
            True,
        )


def _same_disk(room: Path) -> bool:
    return room.stat().st_dev == _FIXTURES.stat().st_dev


def _spoil(file: Path, chance: random.Random) -> None:
    """Damage a file: JSON in its tree, others in their bytes."""
    data = file.read_bytes()
    file.unlink()  # it may be a link to the fixture itself
    try:
        values = [json.loads(data)] if file.suffix == ".json" else [json.loads(line) for line in data.splitlines()]
    except ValueError:
        file.write_bytes(raw(data, chance))
        return
    if not values:
        return
    hurt = chance.randrange(len(values))
    lines = [json_text(value, chance) if number == hurt else dumps(value).encode() for number, value in enumerate(values)]
    file.write_bytes(b"\n".join(lines) + b"\n")


def _check(spec: dict[str, Any], place: Path, expected: list[Any] | None, hurt: set[int]) -> None:
    data = read(spec)
    samples, refused = [], None
    for index in range(len(data)):
        try:
            sample = data[index]
        except InputError as error:
            refused = error
            _located(str(error), place)
            continue
        samples.append(sample)
    found_now = [sample.to_json() for sample in samples]
    for index, sample in enumerate(expected or ()):  # anywhere: some are sorted by what was damaged
        if index not in hurt and sample not in found_now:
            raise Changed(f"record {index} was not damaged, and became another sample")
    json.dumps(found_now)
    stats_of(samples)
    found = check(data, decode=True)
    if found.samples != len(data):
        raise Changed(f"the check counts {found.samples} of {len(data)} records")
    if refused is not None:
        raise refused


def _located(text: str, place: Path) -> None:
    if str(place) not in text and "in memory" not in text:
        raise Changed(f"a record is refused without its file's name: {text}")
