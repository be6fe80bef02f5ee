"""M3IT: forty data sets under human-written instructions, short answers expanded, some tasks translated."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import close_to, count_words, noted_answer, tidy
from vistune.construction.operators.generate import answers, generate, pairs
from vistune.construction.operators.source import share
from vistune.construction.operators.template import asked, templates
from vistune.construction.operators.translate import said, translation
from vistune.construction.parsers import triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, when

INSTRUCTIONS = (
    "{question}",
    "Look at the picture and answer: {question}",
    "Use what you see to answer this. {question}",
    "Here is a question about the image. {question}",
    "Please answer after studying the picture. {question}",
    "Answer from the image alone. {question}",
    "What does the picture tell you? {question}",
    "Consider the image, then reply. {question}",
    "I have a question about this photograph. {question}",
    "Help me with this picture: {question}",
)
LANGUAGES = ("zh", "ja", "ko", "ar", "fr", "de", "es")

EXPAND = Prompt(
    "expand",
    "rewrite",
    "The answers below are single words or short phrases. Repeat every question as it is, and turn its answer into one "
    "complete, "
    "natural sentence that says the same and nothing more.",
    ("note:said",),
    triple_equals.FORMAT,
    (
        "Question:\nWhat is on the table?\n===\nAnswer:\na lamp",
        (Item.of(("What is on the table?", "A lamp is on the table.")),),
    ),
    temperature=0.0,
)
TRANSLATE = {language: translation(language) for language in LANGUAGES}


def _short(record: Record) -> bool:
    return any(count_words(answer) <= 3 for _, answer in record.pairs())


def steps(kit: Kit) -> list[Operator]:
    """Template, expand, and one in ten samples in another language."""
    return [
        templates(asked(INSTRUCTIONS), seed=kit.seed),
        noted_answer(),
        when(_short, said()),
        when(_short, generate(kit.writer, EXPAND, answers, kit.seed)),
        close_to(lambda record: record.notes["original"], 0.5),
        share(kit.seed, en=90, **dict.fromkeys(LANGUAGES, 10 / len(LANGUAGES))),
        when(lambda record: record.task != "en", said()),
        when(lambda record: record.task != "en", generate(kit.writer, TRANSLATE, pairs, kit.seed)),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "M3IT (Li et al., 2023, section 2)",
    ("qa",),
    "one instruction per question, answers as sentences, a tenth translated into 7 languages",
    steps,
    (EXPAND, *TRANSLATE.values()),
    deviations="a language model translates instead of NLLB, into the languages that we can check",
)
