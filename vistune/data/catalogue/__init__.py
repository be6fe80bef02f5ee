"""The catalogue: one declarative entry for every data set the field's tables name, grouped by what they hold.

`catalogue:NAME?path=FOLDER` reads one (see `vistune.data.readers.catalogue`), `vistune data list` lists them. Adding a data
set is adding an `Entry` to the file of its family, and a fixture in its layout under `tests/data/fixtures`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from vistune.data.catalogue.entry import Entry
from vistune.errors import InputError, nearest

FAMILIES = (
    "benchmarks",
    "captioning",
    "classification",
    "conversations",
    "detection",
    "instructions",
    "medical_dialogues",
    "medical_questions",
    "medical_reports",
    "mixtures",
    "question_answering",
    "referring",
    "unavailable",
    "video",
)
"""The modules beside this one whose `ENTRIES` make the catalogue."""


@cache
def entries() -> tuple[Entry, ...]:
    """Every entry, by name."""
    found: list[Entry] = []
    for family in FAMILIES:
        found += import_module(f"{__name__}.{family}").ENTRIES
    return tuple(sorted(found, key=lambda entry: entry.name))


def find(name: str) -> Entry:
    """The entry of that name or alias. Raises `InputError` with the nearest known one."""
    known = {name: entry for entry in entries() for name in (entry.name, *entry.aliases)}
    if name not in known:
        raise InputError(f"the catalogue has no data set {name!r}{nearest(name, list(known))}")
    return known[name]
