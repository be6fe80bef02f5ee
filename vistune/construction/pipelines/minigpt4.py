"""MiniGPT-4's 3,500 pairs: the aligned model's own long descriptions, repaired by a language model, chosen by people."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import conversation, generate
from vistune.construction.operators.trained import long_caption
from vistune.construction.parsers import free_text
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator

DESCRIBE = Prompt(
    "describe",
    "detail",
    "Describe the picture in as much detail as you can.",
    (),
    free_text.FORMAT,
    (
        "",
        (
            Item.of(
                (
                    "",
                    "A white ferry crosses a grey bay from left to right. It has two decks, and on the upper one people "
                    "stand at the railing. Behind it runs a broad wake in which gulls dive. The far shore is low and wooded, "
                    "with a village and a church on it, and above it hang clouds that almost touch the trees.",
                )
            ),
        ),
    ),
    looks=True,
)

GO_ON = Prompt(
    "continue",
    "continuation",
    "Continue the description where it stops. Say nothing that it already says.",
    ("note:caption",),
    free_text.FORMAT,
    ("A ferry crosses a grey bay.", (Item.of(("", "Gulls follow it, and hills close the horizon.")),)),
    looks=True,
)

REPAIR = Prompt(
    "repair",
    "repair",
    "The following description was written by a model. Remove repeated sentences, broken or unfinished ones, and characters "
    "that "
    "are no language. Change nothing else; if nothing is wrong, give it back as it is.",
    ("note:caption",),
    free_text.FORMAT,
    ("A ferry crosses a bay. A ferry crosses a bay. The", (Item.of(("", "A ferry crosses a bay.")),)),
    questions=("Describe this picture in detail.", "Tell me about this image.", "What do you see here?"),
    temperature=0.0,
)


def steps(kit: Kit) -> list[Operator]:
    """Describe, continue what is shorter than 80 tokens, repair; then a person decides."""
    return [*long_caption(kit, DESCRIBE, GO_ON), generate(kit.writer, REPAIR, conversation, kit.seed), *tidy(kit, least=20)]


PIPELINE = Pipeline(
    "MiniGPT-4 (Zhu et al., 2023, section 3.2)",
    (),
    "long descriptions, one per picture",
    steps,
    (DESCRIBE, GO_ON, REPAIR),
    parts=("viewer",),
)
