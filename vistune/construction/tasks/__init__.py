"""MultiInstruct's 62 tasks as templates over facts, one file a family; `ALL` names them."""

from __future__ import annotations

from vistune.construction.operators.template import Template
from vistune.construction.tasks import labels, matching, overlaps, procedures, questions, regions, relations, texts

ALL: tuple[Template, ...] = (
    *questions.TASKS,
    *regions.TASKS,
    *matching.TASKS,
    *relations.TASKS,
    *overlaps.TASKS,
    *texts.TASKS,
    *procedures.TASKS,
    *labels.TASKS,
)
