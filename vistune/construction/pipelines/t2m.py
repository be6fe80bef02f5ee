"""T2M (NExT-GPT): captions of pictures, films and sounds as requests for such a medium, two one-turn dialogues each."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import apart, generate
from vistune.construction.parsers import user_assistant
from vistune.construction.parsers.base import Format, Item, Parsed
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, each
from vistune.sample import Produce, Turn


def _single(text: str) -> Parsed:
    parsed = user_assistant.parse(text)
    return Parsed(tuple(Item((pair,)) for item in parsed.items for pair in item.pairs), parsed.problems)


_DIALOGUES = Format(
    "one_turn_dialogues",
    user_assistant.FORMAT.instruction,
    _single,
    user_assistant.write,
)

ASK = Prompt(
    "request",
    "request",
    "A medium is described below. Write two unrelated exchanges, in each of which a user asks for such a medium in natural "
    "words, "
    "without copying the description, and an assistant hands it over with a short remark.",
    ("captions",),
    _DIALOGUES,
    (
        "Descriptions:\na kettle starts to whistle",
        (
            Item.of(("I need the sound of water coming to the boil.", "Here is a kettle that begins to whistle.")),
            Item.of(("Could you make me a kitchen noise?", "Sure, a whistling kettle it is.")),
        ),
    ),
)


def _produced(record: Record) -> Record:
    user, assistant = record.turns
    media = tuple(Produce(index) for index in range(len(record.media)))
    return record.with_turns((user, Turn("assistant", assistant.parts + media)))


def steps(kit: Kit) -> list[Operator]:
    """Two requests per medium; the medium itself is what the assistant produces."""
    return [generate(kit.writer, ASK, apart, kit.seed), each(_produced), *tidy(kit)]


PIPELINE = Pipeline(
    "T2M (Wu et al., NExT-GPT, 2023, section 5.2)",
    ("captions",),
    "requests for a picture, film or sound, answered with it",
    steps,
    (ASK,),
)
