"""What a tool observed, told to the person."""

from __future__ import annotations

import numpy as np

from vistune.sample import Text
from vistune.world.errands.errand import Errand
from vistune.world.exchange import Exchange


def ask(subject: Errand, rng: np.random.Generator) -> Exchange | None:
    """The call comes before; the answer leans on what the tool said alone."""
    call = Exchange.words(subject.question, subject.call, "tool call")
    told = f"Thought: Do I need to use a tool? No\nAI: {subject.told}"
    return Exchange(*_parts(f"Observation: {subject.seen}", told), (told,), "tool answer", (call,))


def _parts(question: str, answer: str) -> tuple[tuple[Text], tuple[Text]]:
    return (Text(question),), (Text(answer),)
