"""Pictures that one set of classes is given for: quality, facts, damage. Nothing but the data's topic tells them apart."""

from __future__ import annotations

from vistune.construction.operators.template import Filled, Template
from vistune.construction.record import Record
from vistune.construction.tasks.wording import optional


def labelled(name: str, first: str, second: str) -> Template:
    """The class of records whose topic is the task, among the classes that their tags list."""

    def fill(record: Record) -> list[Filled]:
        if record.meta.get("topic") != name:
            return []
        options = dict.fromkeys([*record.facts.tags, *record.facts.labels[:1]])
        return [Filled.of(label, options="||||".join(options)) for label in record.facts.labels[:1]]

    return Template(name, optional(first, second), fill)


TASKS = (
    labelled("image_quality", "What is wrong with the picture?", "Judge the picture's quality."),
    labelled("multimodal_factual_checking", "Does the picture support the claim?", "Check the claim by the picture."),
    labelled("medic_damage_severity", "How bad is the damage?", "Judge how severe the damage is."),
    labelled("medic_informative", "Does the picture inform about a disaster?", "Is it of use to those who help?"),
    labelled("medic_disaster_types", "Which disaster is it?", "Name the kind of disaster."),
)
