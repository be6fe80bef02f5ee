"""Video-ChatGPT: summaries, questions answered by the caption, and long descriptions, from enriched or noisy captions."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import length, must, tidy
from vistune.construction.operators.generate import apart, conversation, generate, note
from vistune.construction.operators.place import no_boxes
from vistune.construction.operators.source import fan
from vistune.construction.parsers import free_text, python_pairs
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, each, of_task, when

_SEEN = "A film is given as text, which you know and your readers see as a film. Never mention the text. "
_SHOWN = "A climber ties a rope, tests it twice and starts up an icy wall."

DENSE = Prompt(
    "dense",
    "summary",
    "The following frame descriptions, regions and tags of one film come from models and are noisy. Keep only what a tag "
    "confirms or "
    "several lines agree on, and write one dense paragraph in the order of time.",
    ("captions", "regions", "tags"),
    free_text.FORMAT,
    ("Descriptions:\na man with a rope\na wall of ice\n\nTags:\nclimber, rope, ice", (Item.of(("", _SHOWN)),)),
)
SUMMARY = Prompt(
    "summary",
    "summary",
    f"{_SEEN}Write three differently worded requests for a summary of the film, each with a summary.",
    ("note:film",),
    python_pairs.FORMAT,
    (_SHOWN, (Item.of(("What is this about?", "A climber prepares and begins an ascent on ice.")),)),
)
EXTRACT = Prompt(
    "extract",
    "conversation",
    f"{_SEEN}Write three questions whose answers are stated outright: an action, an attribute, a sequence.",
    ("note:film",),
    python_pairs.FORMAT,
    (_SHOWN, (Item.of(("How often is the rope tested?", "It is tested twice.")),)),
)
DETAIL = Prompt(
    "detail",
    "detail",
    f"{_SEEN}Write one request to describe the film in detail, and a description of 150 to 300 words.",
    ("note:film",),
    python_pairs.FORMAT,
    (_SHOWN, (Item.of(("Describe the film.", "At the foot of an icy wall a climber ties a rope.")),)),
)


def steps(kit: Kit) -> list[Operator]:
    """People's long captions are used as they are; anything with model tags is made dense first.

    The one description of a film has 150 to 300 words; how many questions come back is a request to the writer.
    """
    prompts = {prompt.name: prompt for prompt in (SUMMARY, EXTRACT, DETAIL)}
    return [
        when(lambda record: bool(record.facts.tags), generate(kit.writer, DENSE, note("film"), kit.seed)),
        when(lambda record: not record.facts.tags, _as_it_is()),
        fan("summary", "extract", "detail"),
        when(of_task("summary", "extract"), generate(kit.writer, prompts, apart, kit.seed)),
        when(of_task("detail"), generate(kit.writer, DETAIL, conversation, kit.seed)),
        when(of_task("detail"), must("more than one description", lambda record: len(record.turns) == 2)),
        when(of_task("detail"), length(150, 300)),
        no_boxes(),
        *tidy(kit, "the text"),
    ]


def _as_it_is() -> Operator:
    return each(lambda record: record.with_note("film", "\n".join(record.facts.captions)))


PIPELINE = Pipeline(
    "Video-ChatGPT (Maaz et al., 2023, section 4)",
    ("captions",),
    "3 summaries, 3 extracted questions, 1 long description per film",
    steps,
    (DENSE, SUMMARY, EXTRACT, DETAIL),
)
