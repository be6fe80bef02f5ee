"""Clotho-Detail (BuboGPT): the five captions of a sound merged into one long description."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import must, tidy
from vistune.construction.operators.generate import conversation, generate
from vistune.construction.parsers import free_text
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator

MERGE = Prompt(
    "merge",
    "detail",
    "A sound is described by several people who heard it. Merge what they say into one fluent, detailed description of what is "
    "heard: what sounds, how, in which order, and where it might be. Keep what they agree on, add nothing, and write as one "
    "who hears it.",
    ("captions", "events"),
    free_text.FORMAT,
    (
        "Descriptions:\nRain falls on a roof.\nIt rains and thunder rolls far away.",
        (Item.of(("", "Steady rain drums on a roof while thunder rolls in the distance.")),),
    ),
    questions=(
        "Describe this sound in detail.",
        "What can be heard here? Leave nothing out.",
        "Tell me everything about this recording.",
        "Give a full account of the audio.",
    ),
)


def steps(kit: Kit) -> list[Operator]:
    """Merge the captions of sounds alone."""
    return [
        must("no sound", lambda record: any(medium.kind == "audio" for medium in record.media)),
        generate(kit.writer, MERGE, conversation, kit.seed),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "Clotho-Detail (Zhao et al., BuboGPT, 2023, section 3.3)",
    ("captions",),
    "a long description per sound",
    steps,
    (MERGE,),
)
