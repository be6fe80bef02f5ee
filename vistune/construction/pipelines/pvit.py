"""PVIT: questions that point at regions, answers that do not need to, from three sources.

converted   questions of VQA sets, each with the region of the thing that it names           146 K
specific    six tasks about regions: five of one question, one of several                      86 K
general     conversations from captions, a description and positions                           22 K
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace

from vistune.construction.boxes import Notation
from vistune.construction.kit import Kit
from vistune.construction.operators.filters import must, tidy
from vistune.construction.operators.generate import conversation, generate, note
from vistune.construction.operators.place import ground, no_boxes, strip_tags
from vistune.construction.parsers import free_text, triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, Record, each, of_task, pairs_to_turns, when

AMOUNTS = {"converted": 146, "specific": 86, "general": 22}
"""Thousands of samples (figure 3)."""
SEEDS = {
    "small_object": "a small thing that is easily overlooked",
    "same_category": "one of several things of the same kind, so that the region is needed to tell them apart",
    "relation": "how two things relate to each other, each with its own region",
    "attribute": "the colour, material, state or pose of a thing",
    "reading": "a thing that bears text, and what it says",
}
_BOX = Notation("unit")
_POINT = "put the thing's position between <Region> and </Region> in place of its name"
_SHOWN = (
    "Descriptions:\nA market stall with a ripe yellow pear, a green one in a basket and a sign that says FRESH.\n\n"
    "Objects and where they are:\npear: [0.310,0.520,0.380,0.600]\npear: [0.620,0.500,0.690,0.580]\n"
    "basket: [0.580,0.480,0.800,0.700]\nsign: [0.400,0.050,0.640,0.180]"
)
_PEAR = "<Region>[0.310,0.520,0.380,0.600]</Region>"
_GREEN = "<Region>[0.620,0.500,0.690,0.580]</Region>"
_BASKET = "<Region>[0.580,0.480,0.800,0.700]</Region>"
_SIGN = "<Region>[0.400,0.050,0.640,0.180]</Region>"
_ASKED = {
    "small_object": f"What is the small thing at {_PEAR}?",
    "same_category": f"Which colour is {_GREEN}?",
    "relation": f"Where is {_GREEN} with respect to {_BASKET}?",
    "attribute": f"Is {_PEAR} ripe?",
    "reading": f"What does {_SIGN} say?",
}
_KNOWN = ("captions", "objects", "relations")


def _ask(name: str, subject: str) -> Prompt:
    return Prompt(
        name,
        "pointing",
        f"{UNSEEN} Write one question about {subject}. Wherever it speaks of a thing, {_POINT}; there must be at least one.",
        _KNOWN,
        free_text.FORMAT,
        (_SHOWN, (Item.of(("", _ASKED[name])),)),
    )


ASK = {name: _ask(name, subject) for name, subject in SEEDS.items()}
TELL = Prompt(
    "tell",
    "answer",
    f"{UNSEEN} Answer the question at the end in one to three sentences. Name things in words; write no positions and no tags.",
    (*_KNOWN, "note:question"),
    free_text.FORMAT,
    (f"{_SHOWN}\n\nIs {_PEAR} ripe?", (Item.of(("", "Yes, the pear is yellow and ripe.")),)),
    questions=("{question}",),
)
_TALK = (
    (f"What is {_PEAR}?", "It is a pear, and a ripe one."),
    (f"Is {_GREEN} as ripe?", "No, that pear is still green."),
    (f"What could be made of {_PEAR} today?", "Since it is ripe, it could be eaten as it is or made into a cake."),
)
ASK_SEVERAL = Prompt(
    "several",
    "pointing_several",
    f"{UNSEEN} Write three questions or more that a conversation about the picture would go through, one a line. Wherever one "
    f"speaks of a thing, {_POINT}; each must hold at least one.",
    _KNOWN,
    free_text.FORMAT,
    (_SHOWN, (Item.of(("", "\n".join(question for question, _ in _TALK))),)),
)
TELL_SEVERAL = Prompt(
    "tell_several",
    "answer_several",
    f"{UNSEEN} Repeat every question as it is and answer it in one to three sentences. Answers name things in words; they hold "
    "no positions and no tags.",
    (*_KNOWN, "note:questions"),
    triple_equals.FORMAT,
    (_SHOWN + "\n\n" + "\n".join(question for question, _ in _TALK), (Item.of(*_TALK),)),
)
GENERAL = Prompt(
    "general",
    "pointing_pairs",
    f"{UNSEEN} Write a conversation about things in the picture, their places and attributes, as different from one another as "
    f"can be. Wherever a question speaks of a thing, {_POINT}; answers hold no positions and no tags.",
    _KNOWN,
    triple_equals.FORMAT,
    (
        _SHOWN,
        (
            Item.of(
                (f"Is {_PEAR} ripe?", "Yes, the pear is yellow and ripe."),
                (f"What does {_SIGN} promise?", "It says that the fruit is fresh."),
                (f"What holds {_GREEN}?", "The green pear lies in a basket."),
            ),
        ),
    ),
)


def _parts(seed: int) -> Operator:
    """One part for each record in the published amounts; `converted` where questions about the picture are known."""

    def assign(record: Record) -> Record:
        amounts = {name: amount for name, amount in AMOUNTS.items() if name != "converted" or record.facts.qa}
        draw = random.Random(f"{seed}:part:{record.id}")
        part = draw.choices(list(amounts), list(amounts.values()))[0]
        return replace(record, task=draw.choice([*SEEDS, "several"]) if part == "specific" else part)

    return each(assign)


def _converted(record: Record) -> Iterator[Record]:
    """Every known question that names one thing, with the thing's region behind the name."""
    names = [(item.label or "").lower() for item in record.facts.objects]
    made = 0
    for ask, tell in record.facts.qa:
        # The longest name is meant: "polar bear" before "bear".
        named = sorted((name for name in set(names) if _place(name, ask)), key=len, reverse=True)
        if not named or names.count(named[0]) != 1 or any(name not in named[0] for name in named[1:]):
            continue
        place = _place(named[0], ask)
        assert place is not None, "the name was found"
        region = record.facts.objects[names.index(named[0])]
        text = f"{ask[: place.end()]} <Region>{_BOX.write(region.bounds())}</Region>{ask[place.end() :]}"
        yield replace(record, id=f"{record.id}#{made}", turns=pairs_to_turns([(text, tell)]))
        made += 1
    if not made:
        yield record.rejected("no question names one thing")


def _place(name: str, text: str) -> re.Match[str] | None:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) if name else None


def _same_questions(record: Record) -> bool:
    asked = [line.strip() for line in record.notes["questions"].splitlines() if line.strip()]
    return asked == [turn.text for turn in record.turns if turn.role == "user"]


def steps(kit: Kit) -> list[Operator]:
    """Each record falls to one part; regions are checked against the objects that are known."""
    single, several, general = of_task(*SEEDS), of_task("several"), of_task("general")
    return [
        _parts(kit.seed),
        when(of_task("converted"), each(_converted)),
        when(single, generate(kit.writer, ASK, note("question"), kit.seed)),
        when(single, generate(kit.writer, TELL, conversation, kit.seed)),
        when(several, generate(kit.writer, ASK_SEVERAL, note("questions"), kit.seed)),
        when(several, generate(kit.writer, TELL_SEVERAL, conversation, kit.seed)),
        when(several, must("questions changed", _same_questions)),
        when(general, generate(kit.writer, GENERAL, conversation, kit.seed)),
        must("question without a region", lambda record: all("<Region>[" in turn.text for turn in record.turns[::2])),
        must("region in the answer", lambda record: not any("Region>" in turn.text for turn in record.turns[1::2])),
        no_boxes("assistant"),
        ground(known=True, least=1),
        strip_tags("Region"),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "PVIT (Chen et al., 2023, section 4)",
    ("captions", "objects"),
    "questions that point at regions: of VQA sets (146 K), six tasks by a language model (86 K), general ones (22 K)",
    steps,
    (*ASK.values(), TELL, ASK_SEVERAL, TELL_SEVERAL, GENERAL),
    deviations="a thing is found in a question by its name; the six tasks have equal shares; stage 1 is the task `converted`",
)
