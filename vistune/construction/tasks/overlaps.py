"""Regions that share an area, or none: geometry alone."""

from __future__ import annotations

from vistune.construction.operators.template import Filled, Template
from vistune.construction.record import Record
from vistune.construction.tasks.wording import YES_NO, box, draw_of, optional, shuffled
from vistune.sample import Box


def _boxes(record: Record) -> list[Box]:
    return list(dict.fromkeys(item.bounds() for item in (*record.facts.objects, *record.facts.regions)))


def shared(a: Box, b: Box) -> float:
    """The area that two boxes share, as a part of the picture."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)


def _extreme(record: Record, task: str, most: bool) -> list[Filled]:
    """Of the others, the one that shares the most or the least with a region, for the first by chance of which one does."""
    draw, known = draw_of(record, task), _boxes(record)
    for given in draw.sample(known, len(known)):
        areas = sorted(((shared(given, other), other) for other in known if other != given), reverse=most)
        if len(areas) > 1 and areas[0][0] != areas[1][0]:
            options = shuffled([box(other) for _, other in areas[:4]], draw)
            return [Filled.of(box(areas[0][1]), given=box(given), options=options)]
    return []


def _which(record: Record, task: str, touching: bool) -> list[Filled]:
    draw, known = draw_of(record, task), _boxes(record)
    for given in draw.sample(known, len(known)):
        right = [other for other in known if other != given and (shared(given, other) > 0) == touching]
        wrong = [other for other in known if other != given and other not in right]
        if right and wrong:
            answer = draw.choice(right)
            options = [box(answer), *(box(other) for other in draw.sample(wrong, min(3, len(wrong))))]
            return [Filled.of(box(answer), given=box(given), options=shuffled(options, draw))]
    return []


def _do(record: Record) -> list[Filled]:
    draw, known = draw_of(record, "if_region_overlap"), _boxes(record)
    if len(known) < 2:
        return []
    a, b = draw.sample(known, 2)
    return [Filled.of("yes" if shared(a, b) > 0 else "no", given=box(a), other=box(b), options=shuffled(YES_NO, draw))]


TASKS = (
    Template(
        "select_overlap_most_region",
        optional("Which region overlaps {given} the most?", "Choose what shares most with {given}."),
        lambda record: _extreme(record, "most", True),
    ),
    Template(
        "select_overlap_least_region",
        optional("Which region overlaps {given} the least?", "Choose what shares least with {given}."),
        lambda record: _extreme(record, "least", False),
    ),
    Template(
        "select_overlaped_region",
        optional("Which region overlaps {given}?", "Choose a region that shares an area with {given}."),
        lambda record: _which(record, "overlapped", True),
    ),
    Template(
        "select_nonoverlaped_region",
        optional("Which region does not overlap {given}?", "Choose a region apart from {given}."),
        lambda record: _which(record, "apart", False),
    ),
    Template("if_region_overlap", optional("Do {given} and {other} overlap?", "Does {other} share an area with {given}?"), _do),
)
