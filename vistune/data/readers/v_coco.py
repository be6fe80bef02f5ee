"""V-COCO: the actions of each person in a picture, with their objects and instruments (visual semantic role labelling)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vistune.data.fields.media_files import folder_of, media_file
from vistune.data.fields.questions import Questions
from vistune.data.fields.regions.boxes import unit_box
from vistune.data.fields.typed import Record, as_list, as_number, as_object, as_text, as_whole, need
from vistune.data.readers.base import Reader
from vistune.data.records.whole_file import WholeFile
from vistune.errors import InputError
from vistune.sample import Media, MediaRef, Part, Region, Sample, Text, Turn

QUESTION = "What is this person doing, and with what?"
AGENT = "agent"
NOBODY = 0
"""The id of an annotation that says that a role is filled by nothing in the picture."""


class VCoco(Reader):
    """Gupta and Malik, Visual Semantic Role Labeling, 2015. A sample is a person with all actions and their objects.

    path:       `vcoco_train.json` and its kin: one table an action, with `ann_id` (the person), `label` (does it or not) and
                `role_object_id` (one list behind the other for each role, the agent first)
    instances:  the COCO annotations that the ids name, `instances_vcoco_all_2014.json`
    images:     the folder of COCO's pictures (default: the file's own)
    question:   what is asked of the person, whose region stands behind it, or several wordings

    The answer lists the actions, `hold (obj [region]); stand`; a person who does none of them does "nothing of that". The
    objects are in `regions`, labelled `action role`, behind the person's.
    """

    def __init__(self, path: str, instances: str, images: str | None = None, question: str | list[str] = QUESTION) -> None:
        self._folder, self._questions, self._path = folder_of(path, images), Questions(question), path
        whole = as_object(WholeFile(Path(instances))[0], instances)
        self._objects = _by_id(whole, "annotations", instances)
        self._pictures = _by_id(whole, "images", instances)
        self._people: dict[int, list[tuple[str, dict[str, int]]]] = {}
        tables = as_list(WholeFile(Path(path))[0], path, "the file")
        for number, table in enumerate(tables, 1):
            self._collect(as_object(table, f"{path}: action {number}"), f"{path}: action {number}")
        self._order = list(self._people)

    def _collect(self, table: Record, where: str) -> None:
        """Adds one action's table to the people it speaks of."""
        action = as_text(need(table, "action_name", where), where, "'action_name'")
        roles = [as_text(role, where, "a role") for role in as_list(need(table, "role_name", where), where, "'role_name'")]
        people, labels, fillers = (_wholes(table, name, where) for name in ("ann_id", "label", "role_object_id"))
        if len(labels) != len(people) or len(fillers) != len(people) * len(roles) or roles[:1] != [AGENT]:
            raise InputError(
                f"{where}: {len(people)} people, {len(labels)} labels and {len(fillers)} fillers of the roles {roles} do not "
                "belong together: one label a person, and for each role, the agent first, one filler a person"
            )
        for place, person in enumerate(people):
            doings = self._people.setdefault(person, [])
            if labels[place] == 1:
                filled = {role: fillers[number * len(people) + place] for number, role in enumerate(roles) if role != AGENT}
                doings.append((action, {role: thing for role, thing in filled.items() if thing != NOBODY}))

    def __len__(self) -> int:
        return len(self._order)

    def sample(self, index: int) -> Sample:
        """One person with all actions."""
        person = self._order[index]
        where = f"{self._path}: person {person}"
        picture, agent = self._region(person, where)
        parts: list[Part] = []
        regions = [agent]
        for action, roles in self._people[person]:
            parts.append(Text(f"{'; ' if parts else ''}{action}"))
            for role, thing in roles.items():
                region = self._region(thing, where)[1]
                regions.append(Region(box=region.box, label=f"{action} {role}"))
                parts += [Text(f" ({role} "), region, Text(")")]
        medium = self._medium(picture, where)
        asked = (MediaRef(0), Text(f"{self._questions.of(str(person))} "), agent)
        told = tuple(parts) or (Text("nothing of that"),)
        actions = [action for action, _ in self._people[person]]
        turns = (Turn("user", asked), Turn("assistant", told))
        return Sample(str(person), (medium,), turns, tuple(regions), meta={"actions": actions}, origin=where)

    def _region(self, identity: int, where: str) -> tuple[Record, Region]:
        """An annotation's picture and its box."""
        if identity not in self._objects:
            raise InputError(f"{where}: COCO's annotations have no object {identity}")
        found = self._objects[identity]
        picture = self._pictures.get(as_whole(need(found, "image_id", where), where, "'image_id'"))
        if picture is None:
            raise InputError(f"{where}: COCO's annotations have no picture {found['image_id']}")
        width, height = (as_number(need(picture, name, where), where, repr(name)) for name in ("width", "height"))
        return picture, Region(box=unit_box(need(found, "bbox", where), where, (width, height), "xywh", name="bbox", clip=True))

    def _medium(self, picture: Record, where: str) -> Media:
        return media_file("image", self._folder, as_text(need(picture, "file_name", where), where, "'file_name'"), where)


def _by_id(whole: Mapping[str, Any], name: str, path: str) -> dict[int, Record]:
    """COCO's records under a key by their ids."""
    found = {}
    for number, record in enumerate(as_list(need(whole, name, path), path, repr(name)), 1):
        where = f"{path}: {name} {number}"
        checked = as_object(record, where)
        found[as_whole(need(checked, "id", where), where, "'id'")] = checked
    return found


def _wholes(table: Record, name: str, where: str) -> list[int]:
    return [as_whole(value, where, f"a number of {name!r}") for value in as_list(need(table, name, where), where, repr(name))]
