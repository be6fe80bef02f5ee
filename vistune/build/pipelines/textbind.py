"""TextBind: dialogues in which either side may show pictures, written from captions of topically chosen pictures."""

from __future__ import annotations

from vistune.build.kit import Kit
from vistune.build.operators.compose import gather
from vistune.build.operators.filters import tidy
from vistune.build.operators.generate import generate
from vistune.build.operators.output_media import fill_numbered
from vistune.build.parsers import user_assistant
from vistune.build.parsers.base import Item
from vistune.build.pipeline import Pipeline
from vistune.build.prompt import Prompt
from vistune.build.record import Operator

ASK = Prompt(
    "dialogue",
    "conversation",
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
