"""OphGLM: doctor and patient, from a graph of medical knowledge and from logs of consultations that are cleaned first."""

from __future__ import annotations

from dataclasses import replace

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import near_duplicates, tidy
from vistune.construction.operators.generate import answers, generate
from vistune.construction.operators.template import asked, templates
from vistune.construction.operators.translate import said
from vistune.construction.parsers import triple_equals, user_assistant
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, each, of_task, when

FROM_GRAPH = Prompt(
    "graph",
    "conversation",
    "Facts about an eye disease are given as triples and sentences. Write a consultation in which a patient asks about causes, "
    "signs, examination and treatment, and a doctor answers from these facts only, plainly and with care.",
    ("labels", "relations", "knowledge"),
    user_assistant.FORMAT,
    (
        "Class:\nglaucoma\n\nRelations:\nglaucoma may damage the optic nerve",
        (Item.of(("Is glaucoma dangerous?", "It can damage the optic nerve, so it should be treated early.")),),
    ),
)
FROM_LOG = Prompt(
    "log",
    "rewrite",
    "These are exchanges of a real consultation. Repeat every question as it is; rewrite each answer as a complete, courteous "
    "and "
    "medically sound one. Leave out names, places and dates.",
    ("note:said",),
    triple_equals.FORMAT,
    ("Question:\nEyes itch.\n===\nAnswer:\ndrops", (Item.of(("Eyes itch.", "Eye drops can relieve the itching.")),)),
)


def steps(kit: Kit) -> list[Operator]:
    """Knowledge becomes consultations, logs become better logs."""
    return [
        each(_sorted),
        when(of_task("graph"), generate(kit.writer, FROM_GRAPH, seed=kit.seed)),
        when(of_task("log"), templates(asked(name="log"), seed=kit.seed)),
        when(of_task("log"), said()),
        when(of_task("log"), generate(kit.writer, FROM_LOG, answers, kit.seed)),
        near_duplicates(),
        *tidy(kit),
    ]


def _sorted(record: Record) -> Record:
    return replace(record, task="log" if record.facts.qa else "graph")


PIPELINE = Pipeline(
    "OphGLM (Gao et al., 2023, section 3)",
    ("relations or knowledge or qa",),
    "consultations in text; pictures enter as the report of a classifier and a segmenter",
    steps,
    (FROM_GRAPH, FROM_LOG),
)
