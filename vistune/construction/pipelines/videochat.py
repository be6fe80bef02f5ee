"""VideoChat: what several perception models say of a film becomes a description, and the description a conversation."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import conversation, generate, note
from vistune.construction.operators.place import no_boxes
from vistune.construction.operators.source import share
from vistune.construction.parsers import free_text, triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, each, of_task, pairs_to_turns, when

DESCRIBE = Prompt(
    "describe",
    "summary",
    "Several programs looked at a film and listened to it; each may be wrong. Merge what they found into one coherent account "
    "of "
    "the film in the order of time, keep what they agree on, leave out what contradicts the rest, and mention no program.",
    ("captions", "tags", "objects", "regions", "events", "speech"),
    free_text.FORMAT,
    (
        "Tags:\nstreet, umbrella\n\nWhat is said:\n2.0-4.0 s: It is pouring!",
        (Item.of(("", "People with umbrellas hurry along a street, and someone remarks how hard it rains.")),),
    ),
)
ASK = Prompt(
    "conversation",
    "conversation",
    "An account of a film is given. Write a conversation between someone who asks about the film and someone who has watched "
    "it, "
    "about what happens, when, and why. Never speak of an account.",
    ("note:account",),
    triple_equals.FORMAT,
    (
        "People with umbrellas hurry along a street. After two seconds somebody remarks how hard it rains, and then they go "
        "under a roof.",
        (
            Item.of(
                ("What is the weather like?", "It rains: everyone carries an umbrella, and somebody says how hard it rains."),
                ("When is that said?", "After two seconds."),
                ("Why do the people go under the roof?", "They want to be out of the rain."),
            ),
        ),
    ),
)
REQUESTS = ("Describe the film in detail.", "What happens in this video?", "Tell me everything that you see in the clip.")


def _account(record: Record) -> Record:
    number = sum(map(ord, record.id)) % len(REQUESTS)
    return record.with_turns(pairs_to_turns([(REQUESTS[number], record.notes["account"])]))


def steps(kit: Kit) -> list[Operator]:
    """Seven descriptions for every four conversations."""
    return [
        generate(kit.writer, DESCRIBE, note("account"), kit.seed),
        share(kit.seed, description=7, conversation=4),
        when(of_task("description"), each(_account)),
        when(of_task("conversation"), generate(kit.writer, ASK, conversation, kit.seed)),
        no_boxes(),
        *tidy(kit, "the account", "the program"),
    ]


PIPELINE = Pipeline(
    "VideoChat (Li et al., 2023, section 4)",
    ("captions or tags or objects or regions or events",),
    "descriptions and conversations about films, with what is heard",
    steps,
    (DESCRIBE, ASK),
)
