"""LLaVA-Med: figures of biomedical papers, their captions and the sentences that cite them."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.mentions import cleaned
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import persistent
from vistune.construction.operators.source import fan, round_robin
from vistune.construction.operators.template import describe, templates
from vistune.construction.parsers import user_assistant
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, chain, each, of_task, when
from vistune.sample import Text, Turn

ALIGN = (
    "Describe the figure.",
    "What does this image show?",
    "Give the findings visible here.",
    "Explain what can be seen in this figure.",
)
ASK = Prompt(
    "instruct",
    "conversation",
    "A figure of a biomedical article is given by its caption and by sentences that cite it. Write a conversation of four or "
    "five "
    "turns between a user who asks about the figure and an assistant who sees it. Ask about what is visible: modality, organ, "
    "finding, place, comparison. Do not ask for sizes or dates, do not give a diagnosis that the text does not give, and never "
    "mention that there is a text.",
    ("captions", "mentions"),
    user_assistant.FORMAT,
    (
        "Descriptions:\nChest radiograph with a nodule in the left upper lobe. The right lung is clear.",
        (
            Item.of(
                ("What kind of image is this?", "It is a radiograph of the chest."),
                ("Is there anything conspicuous?", "Yes, there is a nodule in one of the lungs."),
                ("Where does it lie?", "It lies in the upper lobe of the left lung."),
                ("And how does the other lung look?", "The right lung is clear."),
            ),
        ),
    ),
)


def _clean(record: Record) -> Record:
    """Without answers that refuse, and without mentions of the caption, as the released post-processing leaves them."""
    kept = cleaned(record.pairs())
    if not kept:
        return record.rejected("every answer speaks of the caption")
    said = [(role, text) for pair in kept for role, text in zip(("user", "assistant"), pair, strict=True)]
    return record.with_turns(tuple(Turn(role, (Text(text),)) for role, text in said))  # type: ignore[arg-type]


def steps(kit: Kit) -> list[Operator]:
    """Domains in turn; captions under templates to align, conversations to instruct, each asked up to three times."""
    ask = persistent(kit.writer, ASK, seed=kit.seed, rounds=3)
    return [
        round_robin("topic"),
        fan("align", "instruct"),
        when(of_task("align"), templates(describe(ALIGN, "align"), seed=kit.seed)),
        when(of_task("instruct"), lambda records: chain(records, ask)),
        when(of_task("instruct"), each(_clean)),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "LLaVA-Med (Li et al., 2023, section 3)",
    ("captions",),
    "alignment pairs and conversations about figures",
    steps,
    (ASK,),
)
