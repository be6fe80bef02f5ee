"""LLaVAR: text-rich pictures, read by OCR: "what is written here" by template, conversations by a language model."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import generate
from vistune.construction.operators.label import label
from vistune.construction.operators.place import no_boxes
from vistune.construction.operators.source import share
from vistune.construction.operators.template import Filled, Template, templates
from vistune.construction.parsers import triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, Record, of_task, when

READ = (
    "What text is in this picture?",
    "Read out everything that is written here.",
    "Identify the text in the image.",
    "Which words can you read?",
    "Transcribe the visible text.",
)
ASK = Prompt(
    "conversation",
    "reading",
    f"{UNSEEN} The words that can be read in it are given with their places; some may be misread. Write a conversation of "
    "several "
    "questions for which one must read the text, and use only words that make sense.",
    ("captions", "ocr"),
    triple_equals.FORMAT,
    (
        "Descriptions:\nThe cover of a book.\n\nText that can be read:\nTIDES: [0.200,0.100,0.800,0.250]\n"
        "A novel: [0.350,0.280,0.650,0.330]\nMara Holt: [0.300,0.850,0.700,0.920]\nxq1: [0.900,0.960,0.950,0.980]",
        (
            Item.of(
                ("What is the book called?", "Its title is Tides."),
                ("Who wrote it?", "The name on the cover is Mara Holt."),
                ("Is it a book of facts about the sea?", "No, the cover calls it a novel."),
            ),
        ),
    ),
)


def _words(record: Record) -> list[Filled]:
    return [Filled.of(" ".join(region.label or "" for region in record.facts.ocr))] if record.facts.ocr else []


def steps(kit: Kit) -> list[Operator]:
    """In the published proportion: 422 thousand to read, 16 thousand to talk about."""
    return [
        label(kit, "ocr"),
        share(kit.seed, read=422, conversation=16),
        when(of_task("read"), templates(Template("read", READ, _words), seed=kit.seed)),
        when(of_task("conversation"), generate(kit.writer, ASK, seed=kit.seed)),
        when(of_task("conversation"), no_boxes()),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "LLaVAR (Zhang et al., 2023, section 3)",
    ("captions",),
    "transcriptions and conversations about written text",
    steps,
    (ASK,),
    parts=("labeler ocr",),
)
