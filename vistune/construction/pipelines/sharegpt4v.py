"""ShareGPT4V: long captions by a strong model that sees; they teach a captioner, whose captions teach the rest."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import matches_picture, tidy
from vistune.construction.operators.generate import conversation, generate
from vistune.construction.parsers import free_text
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator

CAPTION = Prompt(
    "caption",
    "detail",
    "Describe the picture: the things in it with their attributes, how they lie to each other, what they do, what is written, "
    "what "
    "place or work it is if that is plain, the light and the mood. State nothing that is not to be seen, and do not speculate.",
    (),
    free_text.FORMAT,
    (
        "",
        (
            Item.of(
                (
                    "",
                    "A lighthouse with red and white stripes stands at the end of a stone pier, a little right of the "
                    "middle. Waves break over the pier and throw spray up to the gallery below its lamp, which is lit. Two "
                    "people in yellow jackets hold on to a railing in the foreground. The sky is dark and heavy with clouds; "
                    "only above the horizon is there a strip of light, which gives the scene the mood of a storm that "
                    "begins.",
                )
            ),
        ),
    ),
    questions=(
        "Describe this image in detail.",
        "What do you see? Tell me everything of importance.",
        "Give a comprehensive account of the picture.",
        "Explain the image to someone who cannot see it.",
    ),
    looks=True,
)


def steps(kit: Kit) -> list[Operator]:
    """Run it with the teacher as viewer first, train a captioner on the result, then run it with that captioner on more."""
    return [
        generate(kit.eyes(), CAPTION, conversation, kit.seed),
        matches_picture(kit, 0.2),
        *tidy(kit, least=20),
    ]


PIPELINE = Pipeline(
    "ShareGPT4V (Chen et al., 2023, section 3)",
    (),
    "long captions, one per picture",
    steps,
    (CAPTION,),
    parts=("viewer",),
    deviations="one prompt for all sources where the paper adds one per kind of picture",
)
