"""SparklesDialogue: two-turn dialogues about several pictures, which are named inside the text.

`sparkles_dialogue` is the part on Conceptual Captions; the part on Visual Genome is
`vistune.construction.pipelines.sparkles_dialogue:VISUAL_GENOME`.
"""

from __future__ import annotations

from dataclasses import replace

from vistune.construction.kit import Kit
from vistune.construction.operators.compose import gather, numbered_dialogues
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import generate
from vistune.construction.parsers import messages
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator

_DEMONSTRATIONS = (
    Item.of(
        (
            "How would the mood of a visitor to IMAGE#2 differ from one in IMAGE#5?",
            "IMAGE#2 is calm, IMAGE#5 loud and crowded.",
        ),
        ("Would IMAGE#1 suit either of them?", "IMAGE#1 shows an empty beach, which suits the visitor of IMAGE#2."),
        images=(("2", "5"), ("1",)),
    ),
    Item.of(
        ("Invent a short story that begins at IMAGE#3.", "At IMAGE#3 a train leaves, and with it the last light."),
        ("How does it go on with IMAGE#4?", "The train arrives at IMAGE#4, where snow has fallen all night."),
        images=(("3",), ("4",)),
    ),
    Item.of(
        ("What do IMAGE#6, IMAGE#7 and IMAGE#8 have in common?", "All three show people who work with their hands."),
        ("Does IMAGE#9 belong with them?", "Only in part: the potter in IMAGE#9 works with her hands, but as a hobby."),
        images=(("6", "7", "8"), ("9",)),
    ),
)
_OF_FOUR = (
    Item.of(
        ("Which of IMAGE#3 and IMAGE#1 was taken later in the day?", "IMAGE#1: its shadows are long, those of IMAGE#3 short."),
        ("Could IMAGE#4 be from the same day?", "Hardly, for IMAGE#4 shows snow and the others show leaves."),
        images=(("3", "1"), ("4",)),
    ),
)

ASK = Prompt(
    "dialogue",
    "gallery",
    "Below are numbered descriptions of pictures, which you know but your readers see. Write three dialogues, each of two "
    "questions "
    "and two thorough answers, about one, two and three of the pictures. The first question of a dialogue shows its pictures; "
    "the "
    "second adds exactly one that was not shown. Questions compare, imagine, plan or explain; none repeats a description.",
    ("gallery",),
    messages.FORMAT,
    ("\n".join(f"IMAGE#{number}: a scene" for number in range(1, 10)), _DEMONSTRATIONS),
    max_tokens=3000,
)
ASK_VISUAL_GENOME = replace(
    ASK,
    system="Below are numbered descriptions of pictures, which you know but your readers see. Write two dialogues, each of two "
    "questions and two thorough answers, about two and three of the pictures. The first question of a dialogue shows its "
    "pictures; the second adds exactly one that was not shown. Questions compare, imagine, plan or explain; none repeats a "
    "description.",
    shot=("\n".join(f"IMAGE#{number}: a scene" for number in range(1, 5)), _OF_FOUR),
)


def steps(kit: Kit) -> list[Operator]:
    """Nine candidates a time; the first question shows one to three of them, the second one more."""
    return [
        gather(9, least=4),
        generate(kit.writer, ASK, numbered_dialogues((1, 3), 1), kit.seed),
        *tidy(kit),
    ]


def steps_of_four(kit: Kit) -> list[Operator]:
    """Four candidates a time; the first question shows two or three of them, the second one more."""
    return [
        gather(4, least=3),
        generate(kit.writer, ASK_VISUAL_GENOME, numbered_dialogues((2, 3), 1), kit.seed),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "SparklesDialogue (Huang et al., 2023, section 4)",
    ("captions",),
    "two-turn dialogues about two to four pictures",
    steps,
    (ASK,),
    deviations="three fixed demonstrations of our own; bundles in data order where the paper draws at random; Conceptual "
    "Captions' variant, that of Visual Genome is vistune.construction.pipelines.sparkles_dialogue:VISUAL_GENOME",
)
VISUAL_GENOME = replace(
    PIPELINE,
    method=f"{PIPELINE.method}, on Visual Genome",
    yields="two-turn dialogues about three or four pictures",
    steps=steps_of_four,
    prompts=(ASK_VISUAL_GENOME,),
    deviations="one fixed demonstration of our own; bundles in data order where the paper draws at random",
)
