"""TextBind: dialogues in which either side may show pictures, written from captions of topically chosen pictures."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.compose import gather
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import generate
from vistune.construction.operators.output_media import fill_numbered
from vistune.construction.parsers import user_assistant
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator

ASK = Prompt(
    "dialogue",
    "album",
    "Below are pictures, each as a tag with its description. Write a natural conversation between a user and an assistant of "
    "three "
    "to six turns in which pictures are shown by writing their tags; each of them may show some, and none is shown twice. Do "
    "not describe a picture that is being shown: its viewer sees it. Use at least two pictures, and leave out those that do "
    "not "
    "fit.",
    ("placeholders",),
    user_assistant.FORMAT,
    (
        "<img0> a loaf of rye bread\n<img1> a stone oven",
        (
            Item.of(
                ("I baked this today. <img0>", "It looks splendid! Did you use an oven like this one? <img1>"),
                ("Almost, mine is smaller.", "A small one holds its heat well enough for rye."),
            ),
        ),
    ),
)


def steps(kit: Kit) -> list[Operator]:
    """Up to five pictures of one topic, a dialogue, tags to media; then a person decides."""
    return [
        gather(5, least=2, topic=True),
        generate(kit.writer, ASK, seed=kit.seed),
        fill_numbered(least=2),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "TextBind (Li et al., 2023, section 3)",
    ("captions",),
    "dialogues with pictures from both sides",
    steps,
    (ASK,),
    deviations="one demonstration of our own instead of a pool that grows with approved dialogues; topics come with the data",
)
