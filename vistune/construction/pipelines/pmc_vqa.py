"""PMC-VQA: multiple-choice questions from captions of medical figures, without those a reader of the question can guess."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import needs_picture, tidy
from vistune.construction.operators.generate import apart, generate
from vistune.construction.operators.template import list_options
from vistune.construction.parsers import free_text, multiple_choice
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator

ASK = Prompt(
    "questions",
    "multiple_choice",
    f"{UNSEEN} Write five multiple-choice questions that a specialist could only answer by looking at the figure. The wrong "
    "options "
    "must be plausible, and the right one must not stand out.",
    ("captions",),
    multiple_choice.FORMAT,
    (
        "Descriptions:\nAxial contrast-enhanced CT with a round cyst in the right kidney. The liver is normal.",
        (
            Item.of(("Which organ has the lesion?", "B"), choices=("Liver", "Right kidney", "Spleen", "Left kidney")),
            Item.of(("Which modality is shown?", "A"), choices=("CT", "MRI", "Ultrasound", "Radiograph")),
            Item.of(("In which plane was it taken?", "D"), choices=("Sagittal", "Coronal", "Oblique", "Axial")),
            Item.of(("What kind of lesion is it?", "C"), choices=("A stone", "An abscess", "A cyst", "A solid tumour")),
            Item.of(("How does the liver look?", "A"), choices=("Normal", "Enlarged", "Cirrhotic", "Fatty")),
        ),
    ),
)
BLIND = Prompt(
    "guess",
    "guess",
    "Answer the multiple-choice question with the letter of one option, even if you have to guess.",
    ("note:question",),
    free_text.FORMAT,
    ("Which is a planet?\nA: Mars\nB: Basalt\nC: Oak\nD: Tin", (Item.of(("", "A")),)),
    max_tokens=32,
    temperature=0.0,
)


def steps(kit: Kit) -> list[Operator]:
    """Ask, drop what the language model answers without the picture, and list the options before anything reads the texts."""
    return [generate(kit.writer, ASK, apart, kit.seed), *needs_picture(kit, BLIND), list_options(), *tidy(kit)]


PIPELINE = Pipeline(
    "PMC-VQA (Zhang et al., 2023, section 3)",
    ("captions",),
    "questions with four options each",
    steps,
    (ASK, BLIND),
)
