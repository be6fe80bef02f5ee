"""ILuvUI: user interfaces as text (elements found by a detector, OCR and icons), six kinds of instructions."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import generate
from vistune.construction.operators.label import label
from vistune.construction.operators.source import fan, require
from vistune.construction.parsers import free_text, triple_equals
from vistune.construction.parsers.base import Format, Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Kind, Prompt
from vistune.construction.record import Operator, of_task, when

_SEEN = (
    "A screen of an app is given as the list of its elements. Write as someone who sees the screen and never mention the list. "
)
_SHOWN = "Elements of the screen:\nbutton 'Pay' at the bottom\nfield 'Card number' in the middle"


def _prompt(name: str, kind: Kind, task: str, form: Format, item: Item, *questions: str) -> Prompt:
    context = ("captions", "layout", "before", "after") if name == "transition" else ("captions", "layout")
    return Prompt(name, kind, _SEEN + task, context, form, (_SHOWN, (item,)), questions=questions)


_TALK, _TEXT = triple_equals.FORMAT, free_text.FORMAT
PROMPTS = (
    _prompt(
        "conversation",
        "conversation",
        "Write a conversation about what is on it and what it is for.",
        _TALK,
        Item.of(
            ("What is asked for here?", "The number of a card."),
            ("Where is it entered?", "In the field in the middle of the screen."),
            ("What does the button at the bottom do?", "It is labelled Pay: it pays with the card."),
        ),
    ),
    _prompt(
        "concise",
        "caption",
        "Say in one sentence what the screen is for.",
        _TEXT,
        Item.of(("", "A form to pay by card.")),
        "What is this screen?",
        "Sum up this screen in a sentence.",
    ),
    _prompt(
        "detail",
        "detail",
        "Describe the screen from top to bottom, with every element's role.",
        _TEXT,
        Item.of(
            (
                "",
                "The screen is a form to pay with. In its middle is a field labelled Card number, into which the number of a "
                "card is typed. Below it, at the bottom, is a button labelled Pay; pressing it pays with the card whose "
                "number was entered.",
            )
        ),
        "Describe this screen in detail.",
        "Explain everything on this screen.",
    ),
    _prompt(
        "reasoning",
        "reasoning",
        "Write a question about the user's situation that takes thought, and its answer.",
        _TALK,
        Item.of(("Has the user paid?", "No: the card's number is still to be entered.")),
    ),
    _prompt(
        "actions",
        "plan",
        "Write a goal the user may have, phrased as a question, and the steps on this screen that reach it.",
        _TALK,
        Item.of(("How do I pay?", "Enter the card's number, then press Pay.")),
    ),
    _prompt(
        "transition",
        "reasoning",
        "The screens before and after are given too. Ask what was done or what will follow, and answer.",
        _TALK,
        Item.of(("What happens after Pay is pressed?", "A receipt appears.")),
    ),
)


def steps(kit: Kit) -> list[Operator]:
    """All six kinds for every screen; transitions where the neighbouring screens are known."""
    return [
        label(kit, "layout"),
        fan(*(prompt.name for prompt in PROMPTS)),
        when(of_task("transition"), require("before", "after")),
        generate(kit.writer, {prompt.name: prompt for prompt in PROMPTS}, seed=kit.seed),
        *tidy(kit, "the list"),
    ]


PIPELINE = Pipeline(
    "ILuvUI (Jiang et al., 2023, section 3)",
    (),
    "conversation, concise and detailed description, reasoning, actions, transitions per screen",
    steps,
    PROMPTS,
    parts=("labeler layout",),
)
