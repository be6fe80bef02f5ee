"""What a record of the world shows, drawn again from its seed: a scene, film, sound, cloud or page with its full truth."""

from __future__ import annotations

from typing import TypeAlias

from vistune.construction.media_files import size_of
from vistune.construction.record import Record
from vistune.errors import InputError
from vistune.world.digits import SPLITS
from vistune.world.expressions import phrase
from vistune.world.films.film import Film
from vistune.world.pages.page import Page
from vistune.world.scene import Scene, make_scene
from vistune.world.senses import SENSES
from vistune.world.solids.cloud import Cloud
from vistune.world.sounds.sound import Sound

Subject: TypeAlias = Scene | Film | Sound | Cloud | Page


def subject_of(record: Record) -> Subject:
    """The truth about a record's first medium. Raises `InputError` when the record is not of the world."""
    sense = record.meta.get("sense")
    if sense is None:
        return scene_of(record)
    found = SENSES[sense].make(_seeds(record)[0], record.meta["split"])
    if not isinstance(found, Film | Sound | Cloud | Page):
        raise InputError(f"record {record.id!r}: the offline completer has no rules for the world's {sense}")
    return found


def scene_of(record: Record) -> Scene:
    """The scene a record shows, drawn again. Raises `InputError` when the record is not one of the world's clean scenes."""
    seeds = _seeds(record)
    if record.meta.get("sense") is not None or not record.media:
        raise _stranger(record)
    scene = make_scene(seeds[0], record.meta["split"], size_of(record.media[0])[0])
    drawn = {(phrase(thing), thing.box) for thing in scene.objects}
    if drawn != {(region.label, region.box) for region in record.facts.objects}:
        raise InputError(f"record {record.id!r} is not a clean scene of the world: use the domain 'clean'")
    return scene


def scenes_of(record: Record) -> list[Scene]:
    """The scenes of a bundle, one a picture, in order. Raises `InputError` when they are not of the world."""
    seeds = _seeds(record)
    if record.meta.get("sense") is not None or len(seeds) != len(record.media):
        raise _stranger(record)
    return [
        make_scene(seed, record.meta["split"], size_of(medium)[0]) for seed, medium in zip(seeds, record.media, strict=True)
    ]


def _seeds(record: Record) -> list[int]:
    seeds = record.meta.get("scenes")
    if not seeds or record.meta.get("split") not in SPLITS:
        raise _stranger(record)
    return list(seeds)


def _stranger(record: Record) -> InputError:
    return InputError(f"record {record.id!r} is not of the embedded world, the only data that the offline completer knows")
