"""What the world knows of its own samples beside captions and boxes, as the facts that pipelines need."""

from __future__ import annotations

from vistune.construction.facts import Facts, Relation, Span, Volume
from vistune.construction.offline.scenes import relations
from vistune.construction.offline.senses import layout
from vistune.construction.offline.subjects import Subject, subject_of
from vistune.construction.offline.wishes import knowledge_of
from vistune.construction.record import Record
from vistune.sample import Media, Region, Sample
from vistune.world.expressions import PLURALS, indefinite, listing
from vistune.world.films.film import RATE, Film
from vistune.world.films.phrases import deed
from vistune.world.films.phrases import noun as film_noun
from vistune.world.pages.page import Page
from vistune.world.scene import KINDS, Scene
from vistune.world.senses import SENSES, sense_of, sense_tasks
from vistune.world.solids.cloud import Box3d, Cloud
from vistune.world.solids.phrases import phrase
from vistune.world.sounds.phrases import phrase as sound_phrase
from vistune.world.sounds.sound import Sound


def known(record: Record, sample: Sample) -> Record:
    """The record of a sample of the world with what is true of it; of paintings, edits and errands nothing is added."""
    task = str(sample.meta.get("task"))
    if task in sense_tasks():
        sense = next(name for name, one in SENSES.items() if one is sense_of(task))
        if sense in ("paint", "edits", "errands"):
            return record
        record = record.with_meta("sense", sense)
    return record.with_facts(record.facts.joined(_facts(subject_of(record))))


def _facts(subject: Subject) -> Facts:
    if isinstance(subject, Scene):
        return _of_scene(subject)
    if isinstance(subject, Film):
        return _of_film(subject)
    if isinstance(subject, Sound):
        return _of_sound(subject)
    return _of_page(subject) if isinstance(subject, Page) else _of_cloud(subject)


def _of_scene(scene: Scene) -> Facts:
    kinds = [PLURALS[kind] for kind in KINDS if any(thing.kind == kind for thing in scene.objects)]
    return Facts(
        labels=(listing(kinds),),
        ocr=tuple(Region(box=thing.box, label=thing.name) for thing in scene.objects if thing.kind == "word"),
        relations=tuple(Relation(a, f"is {side}", b) for a, side, b in relations(scene)),
        knowledge=tuple(dict.fromkeys(knowledge_of(thing) for thing in scene.objects)),
    )


def _of_film(film: Film) -> Facts:
    """Things that appear, disappear or change do so from their frame on; what moves or stays does so all the time."""
    end = len(film.frames) / RATE
    return Facts(
        labels=("films of things that move, appear or change",),
        events=tuple(
            Span((thing.frame or 0) / RATE, end, f"the {thing.colour} {film_noun(thing)} {deed(film, thing)}")
            for thing in film.objects
        ),
    )


def _of_sound(sound: Sound) -> Facts:
    said = [event for event in sound.events if event.kind == "spoken"]
    return Facts(
        labels=tuple(dict.fromkeys(indefinite(sound_phrase(event)) for event in sound.events)),
        events=tuple(Span(event.start, event.end, f"a {sound_phrase(event)} is heard") for event in sound.events),
        speech=tuple(Span(event.start, event.end, event.name) for event in said),
    )


def _of_page(page: Page) -> Facts:
    return Facts(
        labels=("pages",),
        layout=tuple(layout(page)),
        ocr=tuple(Region(box=word.box, label=word.text) for element in page.elements for word in element.words),
    )


def _of_cloud(cloud: Cloud) -> Facts:
    return Facts(
        labels=("point clouds of solids",),
        volumes=tuple(Volume(phrase(solid), _middle_and_sides(solid.box)) for solid in cloud.solids),
    )


def _middle_and_sides(box: Box3d) -> Box3d:
    x1, y1, z1, x2, y2, z2 = box
    return (x1 + x2) / 2, (y1 + y2) / 2, (z1 + z2) / 2, x2 - x1, y2 - y1, z2 - z1


class Known:
    """The labeler of a run without models: the facts hold everything that there is, so it finds nothing more."""

    def label(self, medium: Media) -> Facts:
        """Nothing."""
        return Facts()
