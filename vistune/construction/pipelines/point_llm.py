"""PointLLM: point clouds, their captions under templates (brief), and three richer tasks by a language model."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import generate
from vistune.construction.operators.source import share
from vistune.construction.operators.template import describe, templates
from vistune.construction.parsers import free_text, triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, of_task, when

BRIEF = ("What is this object?", "Describe the point cloud briefly.", "In one sentence, what is shown?", "Name this 3D object.")
_SEEN = (
    "A 3D object is given by a caption. Write as someone who looks at its coloured point cloud, and never mention a caption. "
)
_SHOWN = "Descriptions:\nA wooden rocking horse with a red saddle."

DETAIL = Prompt(
    "detail",
    "detail",
    f"{_SEEN}Describe the object: kind, parts, colours, material, and what it is for, in 50 to 100 words.",
    ("captions",),
    free_text.FORMAT,
    (
        _SHOWN,
        (
            Item.of(
                (
                    "",
                    "This is a rocking horse, a toy on which a small child can ride without leaving the room. Its body, head "
                    "and legs are made of wood, and the legs stand on two curved runners, so that the whole horse swings "
                    "forth and back. On its back is a saddle, which is red and is the place to sit. The red of the saddle "
                    "stands out against the wood.",
                )
            ),
        ),
    ),
    questions=("Describe this object in detail.", "Tell me all about this 3D model.", "What can you see in this point cloud?"),
)
SINGLE = Prompt(
    "single",
    "conversation",
    f"{_SEEN}Write one question about the object that goes beyond naming it, and its answer.",
    ("captions",),
    triple_equals.FORMAT,
    (_SHOWN, (Item.of(("Who would use it?", "A small child would ride on it.")),)),
)
MULTI = Prompt(
    "multi",
    "conversation",
    f"{_SEEN}Write a conversation of three questions that build on each other, with their answers.",
    ("captions",),
    triple_equals.FORMAT,
    (
        _SHOWN,
        (
            Item.of(
                ("What is it?", "A rocking horse."),
                ("What colour is its saddle?", "The saddle is red."),
                ("And what is the rest of it made of?", "The rest is made of wood."),
            ),
        ),
    ),
)


def steps(kit: Kit) -> list[Operator]:
    """660 thousand brief pairs and 70 thousand others: 15 detailed, 40 single, 15 multi-turn."""
    prompts = {prompt.name: prompt for prompt in (DETAIL, SINGLE, MULTI)}
    return [
        share(kit.seed, brief=660, detail=15, single=40, multi=15),
        when(of_task("brief"), templates(describe(BRIEF, "brief"), seed=kit.seed)),
        when(of_task(*prompts), generate(kit.writer, prompts, seed=kit.seed)),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "PointLLM (Xu et al., 2023, section 3)",
    ("captions",),
    "brief descriptions by template; detailed, single-turn and multi-turn instructions",
    steps,
    (DETAIL, SINGLE, MULTI),
)
