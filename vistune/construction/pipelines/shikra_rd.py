"""Shikra-RD: referential dialogue whose questions and answers cite the boxes of Flickr30k Entities."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import generate
from vistune.construction.operators.place import ground
from vistune.construction.parsers import triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator

ASK = Prompt(
    "dialogue",
    "referring",
    f"{UNSEEN} Write three questions, each with an answer that reasons step by step. Whenever a question or an answer names a "
    "person "
    "or thing that has a position, put the position, exactly as given, right after the name. Cite no other positions.",
    ("captions", "objects"),
    triple_equals.FORMAT,
    (
        "Descriptions:\nA girl hands a boy a pear.\n\nObjects and where they are:\na girl: [0.100,0.200,0.400,0.950]\n"
        "a boy: [0.600,0.250,0.900,0.950]\na pear: [0.450,0.500,0.520,0.570]",
        (
            Item.of(
                (
                    "Who will eat the pear [0.450,0.500,0.520,0.570]?",
                    "The girl [0.100,0.200,0.400,0.950] hands it away, and the boy [0.600,0.250,0.900,0.950] is the one who "
                    "gets it, so he will probably eat it.",
                ),
                (
                    "On which side of the girl [0.100,0.200,0.400,0.950] is the boy?",
                    "The girl is in the left part of the picture and the boy [0.600,0.250,0.900,0.950] in the right one, so "
                    "he is on the right of her.",
                ),
                (
                    "Do the two children get along?",
                    "The girl [0.100,0.200,0.400,0.950] gives the pear [0.450,0.500,0.520,0.570] to the boy "
                    "[0.600,0.250,0.900,0.950], and one gives to those whom one likes, so they seem to.",
                ),
            ),
        ),
    ),
)


def steps(kit: Kit) -> list[Operator]:
    """Every cited box must be one of the entities'."""
    return [generate(kit.writer, ASK, seed=kit.seed), ground(known=True, least=1), *tidy(kit)]


PIPELINE = Pipeline(
    "Shikra-RD (Chen et al., Shikra, 2023, section 5.3)",
    ("captions", "objects"),
    "dialogues that cite boxes, with the chain of thought",
    steps,
    (ASK,),
)
