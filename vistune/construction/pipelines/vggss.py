"""VGGSS (BuboGPT): sounds with a class and the place of what sounds in a picture, as sentences by template."""

from __future__ import annotations

from vistune.construction.boxes import Notation
from vistune.construction.kit import Kit
from vistune.construction.operators.filters import must, tidy
from vistune.construction.operators.place import ground
from vistune.construction.operators.template import Filled, Template, templates
from vistune.construction.pipeline import Pipeline
from vistune.construction.record import Operator, Record
from vistune.sample import Region

_BOX = Notation("unit")
_SAID = (
    "This is the sound of {label}.",
    "One hears {label}.",
    "It sounds like {label}.",
    "The recording holds the sound of {label}.",
)


def _said(record: Record, label: str, number: int) -> str:
    return _SAID[(sum(map(ord, record.id)) + number) % len(_SAID)].format(label=label)


def _heard(record: Record) -> list[Filled]:
    return [Filled.of(_said(record, label, number)) for number, label in enumerate(record.facts.labels[:1])]


def _source(record: Record) -> list[Filled]:
    return [Filled.of(_where(item), name=item.label or "") for item in record.facts.objects]


def _where(item: Region) -> str:
    return f"It is the {item.label} at {_BOX.write(item.bounds())}."


TASKS = (
    Template("heard", ("What is heard?", "Describe the sound.", "Which sound is this?", "What do you hear?"), _heard),
    Template(
        "source",
        ("Where in the picture is what makes this sound?", "Which thing in the picture is heard?", "Point out what sounds."),
        _source,
    ),
)


def steps(kit: Kit) -> list[Operator]:
    """A sentence for the class of a sound; where boxes of what sounds are known, its place in the picture."""
    return [
        must("no sound", lambda record: any(medium.kind == "audio" for medium in record.media)),
        templates(*TASKS, seed=kit.seed),
        ground(known=True),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "VGGSS (Zhao et al., BuboGPT, 2023, section 3.3)",
    ("labels",),
    "the class of a sound as a sentence, and where it comes from in the picture",
    steps,
    deviations="four sentences for all classes instead of prefixes by kind of class",
)
