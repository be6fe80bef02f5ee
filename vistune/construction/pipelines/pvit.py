"""PVIT: questions that point at regions, answers that do not need to; one template task and five written by a model."""

from __future__ import annotations

import random

from vistune.construction.boxes import Notation
from vistune.construction.kit import Kit
from vistune.construction.operators.filters import must, tidy
from vistune.construction.operators.generate import conversation, generate, note
from vistune.construction.operators.place import ground, no_boxes, strip_tags
from vistune.construction.operators.source import share
from vistune.construction.operators.template import Filled, Template, templates
from vistune.construction.parsers import free_text
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, Record, of_task, when

SEEDS = {
    "small_object": "a small thing that is easily overlooked",
    "same_category": "one of several things of the same kind, so that the region is needed to tell them apart",
    "relation": "how two things relate to each other, each with its own region",
    "attribute": "the colour, material, state or pose of a thing",
    "reading": "a thing that bears text, and what it says",
}
_BOX = Notation("unit")
_SHOWN = "Descriptions:\nA market stall.\n\nObjects and where they are:\npear: [0.310,0.520,0.380,0.600]"
_LABEL = (
    "What is in <Region>{box}</Region>?",
    "Name the thing at <Region>{box}</Region>.",
    "<Region>{box}</Region>: what is it?",
)


def _ask(name: str, subject: str) -> Prompt:
    return Prompt(
        name,
        "pointing",
        f"{UNSEEN} Write one question about {subject}. Wherever it speaks of a thing, put the thing's position between "
        "<Region> and "
        "</Region> in place of its name; there must be at least one.",
        ("captions", "objects"),
        free_text.FORMAT,
        (_SHOWN, (Item.of(("", "Is <Region>[0.310,0.520,0.380,0.600]</Region> ripe?")),)),
    )


ASK = {name: _ask(name, subject) for name, subject in SEEDS.items()}
TELL = Prompt(
    "tell",
    "answer",
    f"{UNSEEN} Answer the question at the end in one to three sentences. Name things in words; write no positions and no tags.",
    ("captions", "objects", "note:question"),
    free_text.FORMAT,
    (f"{_SHOWN}\n\nIs <Region>[0.310,0.520,0.380,0.600]</Region> ripe?", (Item.of(("", "Yes, the pear is yellow and soft.")),)),
    questions=("{question}",),
)


def _label(seed: int) -> Template:
    def one(record: Record) -> list[Filled]:
        region = random.Random(f"{seed}:label:{record.id}").choice(record.facts.objects)
        return [Filled.of(region.label or "", box=_BOX.write(region.bounds()))]

    return Template("label", _LABEL, one)


def steps(kit: Kit) -> list[Operator]:
    """A question pass, then an answer pass; regions are checked against the objects that are known.

    The template names one object of a picture, so that 86 to 22 is the proportion of samples, as published.
    """
    written = generate(kit.writer, ASK, note("question"), kit.seed)
    told = generate(kit.writer, TELL, conversation, kit.seed)
    return [
        share(kit.seed, label=86, **dict.fromkeys(SEEDS, 22 / len(SEEDS))),
        when(of_task("label"), templates(_label(kit.seed), seed=kit.seed)),
        when(lambda record: record.task != "label", written),
        when(lambda record: record.task != "label", told),
        must("question without a region", lambda record: "<Region>[" in record.turns[0].text),
        must("region in the answer", lambda record: "Region>" not in record.turns[1].text),
        no_boxes("assistant"),
        ground(known=True, least=1),
        strip_tags("Region"),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "PVIT (Chen et al., 2023, section 4)",
    ("captions", "objects"),
    "questions that point at regions: names by template, five kinds by a language model",
    steps,
    (*ASK.values(), TELL),
    deviations="one object of each picture is named; one proportion for both of the paper's stages: take the task `label` "
    "alone for the first",
)
