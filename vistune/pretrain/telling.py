"""Films, sounds, solids and pages told place by place: the words for what is at a place, and the box of it where it has one.

    film      . S S .  | . S S .  | ...     each of eight frames begins with an empty place; S = red seven digit move left + box
    sound     . S S S . . S S . . . .       each quarter of a second; S = high bell struck left
    solids    S S S T T T                   three places each, in no order; S = large red cone + its place on the floor
    page      P S S S P S ...               P = paragraph + its box; S = owl paragraph + its box; a cell has its row and column

What is laid on a place is what a read-out of an encoder of that sense finds there (`vistune pretrain probe`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vistune.data.media.sampling import spread
from vistune.sample import Box, Sample
from vistune.world.films.film import FRAMES
from vistune.world.senses import SENSES, sense_of
from vistune.world.sounds.sound import NAMES, SECONDS

SEEN = spread(FRAMES, 8)
QUARTERS = 12
SOLID_PLACES = 3
FLOOR = 1.5  # half the side of the floor that boxes of solids are told on
EMPTY = " ."


@dataclass(frozen=True, slots=True)
class Place:
    """What one place is told: words, each with a blank in front, and a box or none."""

    words: str
    box: Box | None = None


def is_told(sample: Sample) -> bool:
    """Is it a sample of another sense than pictures?"""
    return "truth" in sample.meta


def places_of(sample: Sample, rng: np.random.Generator) -> list[Place]:
    """A film, a sound, solids or a page as places. Solids lie in an order drawn from `rng`."""
    truth = sample.meta["truth"]
    sense = SENSES[str(sample.meta["sense"])] if "sense" in sample.meta else sense_of(str(sample.meta["task"]))
    if sense is SENSES["films"]:
        return list(_film(truth))
    if sense is SENSES["sounds"]:
        return list(_sound(truth))
    if sense is SENSES["solids"]:
        return _solids(truth, rng)
    assert sense is SENSES["pages"], sample.id
    return list(_page(sample))


def _film(things: list[Mapping[str, Any]]) -> Iterator[Place]:
    for frame in SEEN:
        yield Place(EMPTY)
        for thing in things:
            if (box := thing["boxes"][frame]) is None:
                continue
            changed = thing["action"] == "change" and frame >= thing["frame"]
            colour = thing["changed"] if changed else thing["colour"]
            deed = f"{thing['action']} {thing['direction']}" if thing["direction"] else thing["action"]
            touches = " touch" if thing["meets"] is not None else ""
            yield Place(f" {colour} {thing['name']} {thing['kind']} {deed}{touches}", tuple(box))


def _sound(events: list[Mapping[str, Any]]) -> Iterator[Place]:
    for number in range(QUARTERS):
        middle = (number + 0.5) * SECONDS / QUARTERS
        nearest = min(events, key=lambda event: max(event["start"] - middle, middle - event["end"]))
        if max(nearest["start"] - middle, middle - nearest["end"]) > SECONDS / QUARTERS / 2:
            yield Place(EMPTY)
            continue
        kind = next(kind for kind, names in NAMES.items() if nearest["name"] in names)
        voice = " voice" if kind == "spoken" else ""
        yield Place(f" {nearest['pitch']} {nearest['name']} {kind} {nearest['side']}{voice}")


def _solids(solids: list[Mapping[str, Any]], rng: np.random.Generator) -> list[Place]:
    told = []
    for solid in solids:
        x1, y1, _, x2, y2, _ = (float(edge) / (2 * FLOOR) + 0.5 for edge in solid["box"])
        told += [Place(f" {solid['size']} {solid['colour']} {solid['name']}", (x1, y1, x2, y2))] * SOLID_PLACES
    return [told[int(index)] for index in rng.permutation(len(told))]


def _page(sample: Sample) -> Iterator[Place]:
    elements = sample.meta["truth"]
    boxes = iter([region.bounds() for region in sample.regions[len(elements) :]])
    for element in elements:
        kind = element["kind"]
        yield Place(f" {kind}", tuple(element["box"]))
        cells = [*element["cells"]]
        for text in element["words"]:
            box, more = next(boxes), ""
            if kind == "chart" and (value := _value(element, text)):
                more = f" {value}"
            elif kind == "form" and text in dict(element["ticks"]):
                more = " yes" if dict(element["ticks"])[text] else " no"
            elif cells and kind in ("table", "form") and text == cells[0][2]:
                row, column, _ = cells.pop(0)
                more = f" {row} {column}".rstrip()
            for letter in text if text.isdigit() else [text.strip(":")]:  # numbers are told one figure a place
                yield Place(f" {letter} {kind}{more}", box)


def _value(element: Mapping[str, Any], name: str) -> str:
    return next((value for label, _, value in element["cells"] if label == name), "")
