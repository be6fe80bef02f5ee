"""Regions and what they hold: naming, finding, describing, choosing, matching."""

from __future__ import annotations

from collections.abc import Sequence

from vistune.construction.operators.template import Filled, Template
from vistune.construction.record import Record
from vistune.construction.tasks.wording import YES_NO, box, draw_of, five, optional, shuffled
from vistune.sample import Region

_MOST = 4  # options


def _single(items: Sequence[Region]) -> list[Region]:
    """What has a name that no other has."""
    names = [item.label for item in items]
    return [item for item in items if names.count(item.label) == 1]


def described(record: Record) -> list[Filled]:
    """Region to phrase."""
    return [Filled.of(item.label or "", box=box(item.bounds())) for item in record.facts.regions]


def _named(record: Record) -> list[Filled]:
    return [Filled.of(item.label or "", box=box(item.bounds())) for item in record.facts.objects]


def _found(record: Record) -> list[Filled]:
    return [Filled.of(box(item.bounds()), name=item.label or "") for item in _single(record.facts.regions)]


def _all_of(record: Record) -> list[Filled]:
    """Every region of a name."""
    names = dict.fromkeys(item.label or "" for item in record.facts.objects)
    return [
        Filled.of(", ".join(box(item.bounds()) for item in record.facts.objects if item.label == name), name=name)
        for name in names
    ]


def _choose_phrase(record: Record) -> list[Filled]:
    draw, single = draw_of(record, "GC_selection"), _single(record.facts.regions)
    made = []
    for item in single if len(single) > 1 else []:
        others = [other.label or "" for other in single if other is not item]
        options = [item.label or "", *draw.sample(others, min(_MOST - 1, len(others)))]
        made.append(Filled.of(item.label or "", box=box(item.bounds()), options=shuffled(options, draw)))
    return made


def _choose_region(items: Sequence[Region], task: str, record: Record) -> list[Filled]:
    draw, single = draw_of(record, task), _single(items)
    made = []
    for item in single if len(single) > 1 else []:
        others = [box(other.bounds()) for other in single if other is not item]
        options = [box(item.bounds()), *draw.sample(others, min(_MOST - 1, len(others)))]
        made.append(Filled.of(box(item.bounds()), name=item.label or "", options=shuffled(options, draw)))
    return made


def _holds(record: Record) -> list[Filled]:
    """Is a thing in a region: half the time another's name of the picture."""
    draw, made = draw_of(record, "object_region_match"), []
    names = [item.label or "" for item in record.facts.objects]
    for item in record.facts.objects:
        others = [name for name in names if name != item.label]
        wrong = bool(others) and draw.random() < 0.5
        name = draw.choice(others) if wrong else item.label or ""
        made.append(
            Filled.of("no" if wrong else "yes", name=name, box=box(item.bounds()), options=shuffled(YES_NO, draw)),
        )
    return made


def _same_kind(record: Record) -> list[Filled]:
    draw, known = draw_of(record, "object_match"), list(record.facts.objects)
    if len(known) < 2:
        return []
    a, b = draw.sample(known, 2)
    same = "yes" if a.label == b.label else "no"
    return [Filled.of(same, a=box(a.bounds()), b=box(b.bounds()), options=shuffled(YES_NO, draw))]


def _among(record: Record, task: str, missing: bool) -> list[Filled]:
    """Of some names, those that are in one of two regions, or those that are in none."""
    draw, known = draw_of(record, task), list(record.facts.objects)
    if len(known) < 3:
        return []
    shown = draw.sample(known, 2)
    inside = {item.label or "" for item in shown}
    outside = {item.label or "" for item in known} - inside
    options = draw.sample(sorted(inside | outside), min(_MOST, len(inside | outside)))
    right = [name for name in options if (name in outside) == missing]
    where = ", ".join(box(item.bounds()) for item in shown)
    return [Filled.of(", ".join(right) or "None", regions=where, options=shuffled([*options, "None"], draw))]


def _attribute(record: Record) -> list[Filled]:
    """The first word of a name of two words, among those of the picture: `red`, of `red kite`."""
    draw, made = draw_of(record, "visual_attribute"), []
    words = [(item.label or "").split() for item in record.facts.objects]
    attributes = sorted({pair[0] for pair in words if len(pair) == 2})
    for item, pair in zip(record.facts.objects, words, strict=True):
        if len(pair) == 2 and len(attributes) > 1:
            made.append(Filled.of(pair[0], box=box(item.bounds()), options=shuffled(attributes, draw)))
    return made


TASKS = (
    Template("GC", five("Describe {box}.", "What happens in {box}?"), described),
    Template("GC_selection", optional("Which text describes {box}?", "Choose what {box} shows."), _choose_phrase),
    Template("VG", five("Where is {name}?", "Give the region of {name}."), _found),
    Template(
        "VG_selection",
        optional("Which region shows {name}?", "Choose the region of {name}."),
        lambda record: _choose_region(record.facts.regions, "VG_selection", record),
    ),
    Template(
        "grounded_VQA",
        optional("Which of these is the {name}?", "Point at the {name}."),
        lambda record: _choose_region(record.facts.objects, "grounded_VQA", record),
    ),
    Template("object_grounding", five("Which object is in {box}?", "Give the category at {box}."), _named),
    Template("region_generation", five("Which regions hold {name}?", "Mark every {name}."), _all_of),
    Template("object_region_match", optional("Is {name} in {box}?", "Does {box} hold {name}?"), _holds),
    Template(
        "object_match", optional("Are the things in {a} and {b} of one kind?", "Do {a} and {b} hold the same?"), _same_kind
    ),
    Template(
        "region_object_selection",
        optional("Which of these are in one of {regions}?", "Choose what {regions} hold."),
        lambda record: _among(record, "region_object_selection", False),
    ),
    Template(
        "missing_object_selection",
        optional("Which of these are in none of {regions}?", "Choose what {regions} lack."),
        lambda record: _among(record, "missing_object_selection", True),
    ),
    Template("object_description_generate", five("Tell the thing in {box} from the others.", "Refer to {box}."), described),
    Template(
        "descriptive_object_region_generate",
        five("Which region is meant by: {name}?", "Give the region that this describes: {name}"),
        _found,
    ),
    Template(
        "descriptive_object_region_select",
        optional("Which region is meant by: {name}?", "Choose the region that this describes: {name}"),
        lambda record: _choose_region(record.facts.regions, "descriptive", record),
    ),
    Template("visual_attribute", optional("Which attribute has {box}?", "How is the thing in {box}?"), _attribute),
)
