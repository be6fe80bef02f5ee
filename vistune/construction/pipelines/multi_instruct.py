"""MultiInstruct: 62 tasks by template with five instructions each, regions pointed at, options under the instruction."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import human, length, unique
from vistune.construction.operators.place import ground
from vistune.construction.operators.template import templates
from vistune.construction.pipeline import Pipeline
from vistune.construction.record import Operator
from vistune.construction.tasks import ALL
from vistune.construction.tasks.matching import foreign


def steps(kit: Kit) -> list[Operator]:
    """Every task that a record's annotations allow, one of its five instructions each."""
    return [foreign(), templates(*ALL, seed=kit.seed), ground(), length(), unique(), human(kit)]


PIPELINE = Pipeline(
    "MultiInstruct (Xu et al., 2023, section 3)",
    ("captions or qa or objects or regions or ocr or labels",),
    "62 tasks by template, five instructions each",
    steps,
    deviations="the 61 tasks named in the released files, and the choice of a region's caption; a question's kind is told by "
    "its words, where a set's own name is not its topic; which tasks apply is told by the annotations",
)
