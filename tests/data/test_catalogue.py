"""Every released data set of the catalogue reads from its official layout to the samples it should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vistune.data.samples import read
from vistune.files import read_jsonl
from vistune.sample import Media, Sample

FIXTURES = Path(__file__).parent / "fixtures"
EXPECTED = sorted(FIXTURES.glob("*.jsonl"))


def expected_samples(path: Path, folder: Path) -> list[Sample]:
    """The samples written beside a fixture; media paths are relative to its folder."""
    samples = [Sample.from_json(record, f"{path}: line {number}") for number, record in read_jsonl(path)]
    return [replace(sample, media=tuple(absolute(medium, folder) for medium in sample.media)) for sample in samples]


def absolute(medium: Media, folder: Path) -> Media:
    return medium if medium.path is None else replace(medium, path=str(folder / medium.path))


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_fixture_reads_to_its_samples(expected: Path) -> None:
    name, _, part = expected.stem.partition(".")
    folder = FIXTURES / name
    got = list(read({"kind": "catalogue", "name": name, "path": str(folder), **({"part": part} if part else {})}))
    wanted = expected_samples(expected, folder)
    # What a reader keeps in `meta` beyond what is stated here is no promise; what is stated must be there.
    reduced = [
        replace(sample, meta={key: sample.meta.get(key) for key in want.meta}) for sample, want in zip(got, wanted, strict=True)
    ]
    assert [sample.to_json() for sample in reduced] == [sample.to_json() for sample in wanted]
    assert all(sample.meta["dataset"] == name for sample in got)


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_fixture_holds_the_media_it_names(expected: Path) -> None:
    folder = FIXTURES / expected.stem.partition(".")[0]
    for sample in expected_samples(expected, folder):
        assert all(medium.path is None or Path(medium.path).is_file() for medium in sample.media), sample.id
