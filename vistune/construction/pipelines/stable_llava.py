"""StableLLaVA: a picture and a dialogue about it, both from the same prompt, so that no picture is ever labelled."""

from __future__ import annotations

from dataclasses import replace

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import must, tidy
from vistune.construction.operators.generate import generate, note
from vistune.construction.operators.synthesize import paint
from vistune.construction.parsers import free_text, triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, each

PICTURE = Prompt(
    "picture",
    "painting",
    "Write a prompt for a text-to-image model, for a picture that exercises the ability named below: a dozen keywords or short "
    "phrases, divided by commas. Put the subject in double round brackets, so that the model gives it weight, and what matters "
    "next in single ones.",
    ("labels",),
    free_text.FORMAT,
    ("Class:\ncounting animals", (Item.of(("", "((three foxes)), (snowy forest), morning light, wide shot, sharp")),)),
)
DIALOGUE = Prompt(
    "dialogue",
    "painted",
    f"{UNSEEN} The text is the prompt from which the picture was made. Write a conversation of three or four questions about "
    "the "
    "picture that exercise the ability named, answered from the prompt alone.",
    ("labels", "note:picture"),
    triple_equals.FORMAT,
    (
        "Class:\ncounting animals\n\n((three foxes)), (snowy forest), morning light",
        (
            Item.of(
                ("How many foxes are there?", "There are three foxes."),
                ("Are there other animals beside them?", "No, the three foxes are the only ones."),
                ("If one fox went into the forest, how many would be left?", "Two foxes would be left."),
            ),
        ),
    ),
)


def steps(kit: Kit) -> list[Operator]:
    """Prompt, picture, dialogue."""
    return [
        each(lambda record: replace(record, media=())),  # labels are all there is, whatever picture they came with
        generate(kit.writer, PICTURE, note("picture"), kit.seed),
        must("no weighted subject", lambda record: "((" in record.notes["picture"]),
        generate(kit.writer, DIALOGUE, seed=kit.seed),
        paint(kit, "picture"),
        *tidy(kit, "the prompt"),
    ]


PIPELINE = Pipeline(
    "StableLLaVA (Li et al., 2023, section 3)",
    ("labels",),
    "a synthetic picture and a conversation per ability",
    steps,
    (PICTURE, DIALOGUE),
    parts=("painter",),
)
