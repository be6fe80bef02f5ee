"""SVIT: 4.2 million questions about Visual Genome pictures, with captions, objects and region descriptions for context."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import Apply, apart, conversation, generate, groups
from vistune.construction.operators.place import ground, strip_tags
from vistune.construction.operators.source import fan, measure
from vistune.construction.parsers import free_text, question_answer_lines
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, of_task, when

_KNOWN = ("captions", "objects", "regions")
_SHOWN = (
    "Descriptions:\nA man repairs a bicycle.\n\nObjects and where they are:\nman: [0.200,0.150,0.610,0.900]\n"
    "bicycle: [0.450,0.400,0.900,0.880]\n\nRegions and where they are:\na flat rear tyre: [0.700,0.600,0.890,0.870]"
)

_ASKED = (
    ("Who is in the picture?", "A man."),
    ("What stands beside him?", "A bicycle."),
    ("Is the bicycle whole?", "No, its rear tyre is flat."),
    ("Which of its tyres is flat, the front or the rear one?", "The rear one."),
    ("Is anyone riding the bicycle?", "No, it is being repaired."),
    ("How many people can be seen?", "One."),
    ("How many bicycles are there?", "One."),
    ("On which side of the picture is the man?", "Left of the middle."),
    ("Is the bicycle to the left or to the right of the man?", "It reaches further to the right than he does."),
    ("Where is the flat tyre?", "At the lower right."),
    ("What is the man doing?", "He repairs the bicycle."),
    ("What has happened to the bicycle?", "It has a flat tyre."),
    ("Which part is he likely to work on?", "The rear wheel."),
    ("Can the bicycle be ridden now?", "No, not with a flat tyre."),
    ("What does he want to reach?", "That the bicycle can be ridden again."),
)
_REASONED = (
    ("Why has he stopped?", "The rear tyre is flat, so he cannot ride on."),
    ("What may have flattened the tyre?", "Something sharp on the road, such as glass or a nail, or a valve that leaks."),
    (
        "Why does he work on the rear wheel and not on the front one?",
        "Only the rear tyre is flat, so the front one needs nothing.",
    ),
    ("What will he have to take off first?", "The rear wheel or one side of its tyre, since the tube lies beneath it."),
    ("Which tool would help him most?", "A tyre lever, with which the tyre is lifted over the rim."),
    ("What does he need besides a tool?", "A patch or a new tube, since the old one does not hold air."),
    ("What would happen if he rode on?", "The rim would run on the ground and bend, and the tyre would be torn."),
    (
        "Why is the rear tyre harder to mend than the front one?",
        "The chain and the gears are in the way when the wheel is taken out.",
    ),
    ("What does his repairing it himself say of him?", "He is used to looking after his bicycle, or has nobody to ask."),
    ("Is he likely to be in a hurry?", "Perhaps: the ride was broken off, and mending takes some minutes."),
    ("How will he know that the repair worked?", "The tyre holds the air when it is pumped up again."),
    ("What should he do before he puts the tube back?", "Search the tyre for what pierced it, or it will be pierced again."),
    ("What could he have done to avoid this?", "Look at the tyres before riding and keep them pumped up."),
    ("Who else could help him?", "A bicycle shop, or another rider with a pump."),
    ("What will he do when he is done?", "Pump up the tyre, put the wheel back and ride on."),
)
_DESCRIBED = (
    "A man repairs a bicycle. He takes up the left and the middle of the picture, almost from its upper edge to its lower one, "
    "and is turned to the work before him.\n\n"
    "The bicycle stands at the right, overlapping with him. It fills the lower half of the picture on that side, so that both "
    "are close to each other, as they are when somebody works on a wheel.\n\n"
    "At the lower right, where the bicycle ends, is its rear tyre, which is flat. It is the reason for the repair: with it the "
    "bicycle cannot be ridden."
)
_POINTED = (
    ("What does the <st>man<ed> [0.200,0.150,0.610,0.900] do?", "He repairs the <st>bicycle<ed> [0.450,0.400,0.900,0.880]."),
    (
        "What is wrong with the <st>bicycle<ed> [0.450,0.400,0.900,0.880]?",
        "<st>a flat rear tyre<ed> [0.700,0.600,0.890,0.870].",
    ),
    ("Who works on the <st>bicycle<ed> [0.450,0.400,0.900,0.880]?", "The <st>man<ed> [0.200,0.150,0.610,0.900]."),
    (
        "Where is <st>a flat rear tyre<ed> [0.700,0.600,0.890,0.870]?",
        "On the <st>bicycle<ed> [0.450,0.400,0.900,0.880], at its rear.",
    ),
    ("What stands right of the <st>man<ed> [0.200,0.150,0.610,0.900]?", "The <st>bicycle<ed> [0.450,0.400,0.900,0.880]."),
    ("What is larger, the <st>man<ed> [0.200,0.150,0.610,0.900] or the bicycle?", "The <st>man<ed> [0.200,0.150,0.610,0.900]."),
    ("What belongs to the <st>bicycle<ed> [0.450,0.400,0.900,0.880]?", "<st>a flat rear tyre<ed> [0.700,0.600,0.890,0.870]."),
    ("Why can the <st>man<ed> [0.200,0.150,0.610,0.900] not ride?", "Of <st>a flat rear tyre<ed> [0.700,0.600,0.890,0.870]."),
    (
        "What does <st>a flat rear tyre<ed> [0.700,0.600,0.890,0.870] need?",
        "Mending, which the <st>man<ed> [0.200,0.150,0.610,0.900] does.",
    ),
    (
        "What is behind the <st>man<ed> [0.200,0.150,0.610,0.900]'s work?",
        "The <st>bicycle<ed> [0.450,0.400,0.900,0.880] is to ride again.",
    ),
)

CONVERSATION = Prompt(
    "conversation",
    "conversation",
    f"{UNSEEN} Write three conversations of five questions and answers each about the picture: one about the things in it and "
    "their looks, one about their number and places, one about what is going on. Only ask what can be answered with certainty.",
    _KNOWN,
    question_answer_lines.FORMAT,
    (_SHOWN, tuple(Item.of(pair) for pair in _ASKED)),
    square=True,
    max_tokens=2048,
)
REASONING = Prompt(
    "reasoning",
    "reasoning",
    f"{UNSEEN} Write fifteen questions that ask for reasons, intentions, consequences or knowledge of the world, each "
    "answerable "
    "from the picture by someone who thinks about it, with answers that give their grounds.",
    _KNOWN,
    question_answer_lines.FORMAT,
    (_SHOWN, tuple(Item.of(pair) for pair in _REASONED)),
    square=True,
    max_tokens=2048,
)
DETAIL = Prompt(
    "detail",
    "detail",
    f"{UNSEEN} Describe the picture from its main subject to its margins, in several paragraphs.",
    _KNOWN,
    free_text.FORMAT,
    (_SHOWN, (Item.of(("", _DESCRIBED)),)),
    square=True,
    questions=("Describe the image thoroughly.", "What is in this picture? Answer at length.", "Give a detailed account."),
)
REFERRING = Prompt(
    "referring",
    "referring",
    f"{UNSEEN} Write ten questions and answers that point at things: wherever a thing is named that has a position, write its "
    "name "
    "between <st> and <ed> and its position after it, as given.",
    _KNOWN,
    question_answer_lines.FORMAT,
    (_SHOWN, tuple(Item.of(pair) for pair in _POINTED)),
    square=True,
    max_tokens=2048,
)


def steps(kit: Kit) -> list[Operator]:
    """All four tasks about every picture; positions refer to the picture padded to a square, three decimals.

    Every writer sees the positions, so that any of them may cite one.
    """

    def ask(prompt: Prompt, then: Apply) -> Operator:
        return when(of_task(prompt.name), generate(kit.writer, prompt, then, kit.seed))

    return [
        measure(),
        fan("conversation", "reasoning", "detail", "referring"),
        ask(CONVERSATION, groups(5)),
        ask(REASONING, apart),
        ask(DETAIL, conversation),
        ask(REFERRING, apart),
        when(of_task("referring"), ground(square=True, known=True, least=1)),
        when(of_task("conversation", "reasoning", "detail"), ground(square=True, known=True)),
        strip_tags("st", "ed"),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "SVIT (Zhao et al., 2023, section 3)",
    ("captions", "objects"),
    "3 conversations of 5 questions, 15 reasoning and 10 referring questions, 1 description per picture",
    steps,
    (CONVERSATION, REASONING, DETAIL, REFERRING),
)
