"""The catalogue's entries themselves: complete, unique, with a fixture for each data set that can be had."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vistune.data.catalogue import entries, find

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_entry_is_complete(entry) -> None:
    for field in ("title", "size", "licence", "obtain", "citation", "modality"):
        assert getattr(entry, field).strip(), field
    assert bool(entry.reader) == entry.released
    assert (FIXTURES / f"{entry.name}.jsonl").exists() == entry.released
    assert find(entry.name) is entry
    json.dumps(entry.to_json())


def test_names_are_unique() -> None:
    names = [entry.name for entry in entries()]
    assert len(set(names)) == len(names)
