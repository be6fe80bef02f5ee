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
_SHOWN = (
    "A climber in a red jacket stands at the foot of a wall of ice, ties a rope around a bolt and tests it twice. Then the "
    "climber starts up the icy wall with an axe in each hand."
)
_TOLD = """\
The film begins at the foot of a wall of ice. In front of it stands a climber in a red jacket, the only person who is \
to be seen, and the red of the jacket is set off clearly from the ice behind it. The first thing that the climber does \
is not to climb but to prepare: a rope is taken up and tied around a bolt. When the knot is done, the climber does not \
rely on it at once. The rope is tested, and then it is tested a second time, as somebody does who knows that \
everything will hang on it.

Only after that does the climb begin. The climber turns to the wall, with an axe in each hand, and starts up the ice. \
The two axes take turns at giving a hold, which hands alone would not find on a wall as icy as this one. So the film \
has two halves that belong together: a patient one on the ground, in which rope and bolt are made safe, and a bold \
one, in which the climber leaves the ground and goes up. It ends while the climb is still at its beginning."""

DENSE = Prompt(
    "dense",
    "summary",
    "The following frame descriptions, regions and tags of one film come from models and are noisy. Keep only what a tag "
    "confirms or "
    "several lines agree on, and write one dense paragraph in the order of time.",
    ("captions", "regions", "tags"),
    free_text.FORMAT,
    (
        "Descriptions:\na climber in a red jacket at the foot of a wall of ice\na rope is tied around a bolt\na boat on a "
        "lake\na rope is pulled twice\na climber with two axes on a wall of ice\n\nTags:\nclimber, rope, bolt, axe, ice",
        (Item.of(("", _SHOWN)),),
    ),
)
SUMMARY = Prompt(
    "summary",
    "summary",
    f"{_SEEN}Write three differently worded requests for a summary of the film, each with a summary.",
    ("note:film",),
    python_pairs.FORMAT,
    (
        _SHOWN,
        (
            Item.of(("What is this about?", "A climber makes a rope safe and begins to climb a wall of ice.")),
            Item.of(
                (
                    "Sum up the film for me.",
                    "Somebody in a red jacket ties and tests a rope at a wall of ice and then goes up it with two axes.",
                )
            ),
            Item.of(
                (
                    "Tell me in a sentence what I would see.",
                    "You would see how a climber prepares at the foot of an icy wall and then starts up it.",
                )
            ),
        ),
    ),
)
EXTRACT = Prompt(
    "extract",
    "conversation",
    f"{_SEEN}Write three questions whose answers are stated outright: an action, an attribute, a sequence.",
    ("note:film",),
    python_pairs.FORMAT,
    (
        _SHOWN,
        (
            Item.of(("What does the climber do with the rope?", "The climber ties it around a bolt and tests it twice.")),
            Item.of(("What colour is the climber's jacket?", "The jacket is red.")),
            Item.of(("What happens after the rope was tested?", "The climber starts up the wall with an axe in each hand.")),
        ),
    ),
)
DETAIL = Prompt(
    "detail",
    "detail",
    f"{_SEEN}Write one request to describe the film in detail, and a description of 150 to 300 words.",
    ("note:film",),
    python_pairs.FORMAT,
    (_SHOWN, (Item.of(("Describe the film in detail.", _TOLD)),)),
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
