"""The catalogue's entries themselves: complete, unique, with a fixture for each data set that can be had."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vistune.data.catalogue import FAMILIES, entries, find
from vistune.data.catalogue.entry import Entry
from vistune.data.catalogue.listing import details
from vistune.data.samples import READERS, read
from vistune.errors import InputError
from vistune.spec import check_arguments, kinds, resolve, split

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_entry_is_complete(entry: Entry) -> None:
    facts = entry.to_json()
    for field in ("title", "size", "licence", "obtain", "citation", "modality"):
        assert facts[field].strip(), field
    assert bool(entry.reader) == entry.released
    assert (FIXTURES / f"{entry.name}.jsonl").exists() == entry.released
    assert find(entry.name) is entry
    assert json.loads(json.dumps(facts)) == facts


def test_names_are_unique() -> None:
    names = [name for entry in entries() for name in (entry.name, *entry.aliases)]
    assert len(set(names)) == len(names)


def test_every_family_is_listed() -> None:
    assert set(kinds("vistune.data.catalogue")) - {"entry", "listing"} == set(FAMILIES)


@pytest.mark.parametrize("entry", [entry for entry in entries() if entry.released], ids=lambda entry: entry.name)
def test_every_part_makes_a_spec_its_reader_takes(entry: Entry) -> None:
    for part in entry.parts:
        kind, arguments = split(entry.spec("FOLDER", part))
        check_arguments(resolve(READERS, kind), arguments, f"{entry.name}, {part}")
        assert "{root}" not in json.dumps(arguments), part


def test_unknown_parts_and_unreleased_sets_are_refused() -> None:
    with pytest.raises(InputError, match=r"vqa_v2 has no part 'val2015' \(did you mean 'val2014'\?\)"):
        find("vqa_v2").spec("FOLDER", "val2015")
    with pytest.raises(InputError, match="has no files to read"):
        find("webli_100b").spec("FOLDER")
    with pytest.raises(InputError, match="did you mean 'vqa_v2'"):
        find("vqa_v3")


def test_an_alias_is_the_same_data_set() -> None:
    assert find("v_srl") is find("v_coco") and "v_srl" in details(find("v_coco"))


def test_the_room_of_two_meshes_is_read_once() -> None:
    """ScanNet describes the objects of a room twice, for the coarse and for the fine mesh."""
    assert len(list((FIXTURES / "scannet").rglob("*.aggregation.json"))) == 2
    assert len(read({"kind": "catalogue", "name": "scannet", "path": str(FIXTURES / "scannet")})) == 1


def test_forty_sets_of_m3it() -> None:
    assert len(find("m3it").parts) == 40 and len({part.split("/")[1] for part in find("m3it").parts}) == 40


def test_a_part_with_a_folder_in_its_name_reads() -> None:
    samples = read({"kind": "catalogue", "name": "m3it", "path": str(FIXTURES / "m3it"), "part": "generation/visual-dialog"})
    assert [sample.turns[0].text for sample in samples] == ["Go on with the dialogue.\nWhat is the man doing?"]
