"""Conversations, descriptions and choices about pictures, by the world's own tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from vistune.construction.offline.asked import Asked, Rule, sentence, told
from vistune.construction.parsers import free_text
from vistune.construction.parsers.base import Item
from vistune.sample import Text
from vistune.world.exchange import Exchange
from vistune.world.expressions import phrase
from vistune.world.instructions import CONVERSATION_WEIGHTS, converse
from vistune.world.scene import NAMES, Scene
from vistune.world.tasks import caption, detailed_caption
from vistune.world.tasks.spatial import direction

_EXISTENCE = {"existence_adversarial": 2.0, "existence_popular": 1.0, "existence_random": 1.0}
# A prompt for questions about a picture is answered with questions about its objects; absent objects come in where a prompt
# wants negatives. That conversations of this kind lack them is what LRV-Instruction set out to mend (arXiv 2306.14565,
# section 1).
CONVERSATION = {task: weight for task, weight in CONVERSATION_WEIGHTS.items() if task not in _EXISTENCE}
# Boxes and words by expressions like "the leftmost" compare, too: so often that, over LLaVA's proportions of conversation,
# description and reasoning, they come up as often as in the world's own conversations and are taught no less.
_REASONING = {"arithmetic": 1.0, "comparison": 1.0, "spatial": 1.0, "count": 0.5, "reading": 0.4, "refer_box": 0.4}
_REFERRING = {"refer_box": 2.0, "describe_region": 1.0, "detection": 1.0}
_READING = {"reading": 2.0, "identity": 1.0}
_BOXES = frozenset({"describe_region", "detection", "refer_box"})
_LETTERS = "ABCD"
RELATION = {"left": "to the left of", "right": "to the right of", "above": "above", "below": "below"}


def without_boxes(weights: Mapping[str, float]) -> dict[str, float]:
    """The tasks that are asked and answered in words."""
    return {task: weight for task, weight in weights.items() if task not in _BOXES}


def mixed(weights: Mapping[str, float], boxes: bool = True) -> Rule:
    """Questions of these tasks; of any where the scene lends itself to none of them. `boxes`: may they hold some?"""

    def answer(asked: Asked) -> list[Item]:
        rng, scene = asked.rng(), asked.scene
        chosen, every = (without_boxes(one) if asked.words_only or not boxes else one for one in (weights, CONVERSATION))
        return list(map(asked.item, converse(scene, rng, asked.turns, chosen) or converse(scene, rng, asked.turns, every)))

    return answer


def described(ask: Callable[[Scene, np.random.Generator], Exchange | None]) -> Rule:
    """The description alone where the reply is a text, for which a pipeline has questions of its own."""

    def answer(asked: Asked) -> list[Item]:
        exchange = ask(asked.scene, asked.rng())
        assert exchange is not None, "every scene can be described"
        alone = asked.prompt.format.name == free_text.FORMAT.name or bool(asked.prompt.questions)
        return [asked.item(replace(exchange, question=()) if alone else exchange)]

    return answer


def relations(scene: Scene) -> list[tuple[str, str, str]]:
    """`(red seven, to the left of, blue circle)` for every two things whose names are unique and whose side is plain."""
    names = [phrase(thing) for thing in scene.objects]
    single = [thing for thing in scene.objects if names.count(phrase(thing)) == 1]
    found = [(a, direction(a, b), b) for a in single for b in single if a is not b]
    return [(phrase(a), RELATION[side], phrase(b)) for a, side, b in found if side is not None]


def further(asked: Asked) -> list[Item]:
    """What a description by size, colour and place leaves unsaid: how things lie to each other."""
    lines = [f"The {a} is {side} the {b}" for a, side, b in relations(asked.scene)]
    return told(" ".join(map(sentence, lines or ["Nothing else is in the picture"])))


def choice(asked: Asked) -> list[Item]:
    """One question with four options."""
    scene, rng = asked.scene, asked.rng()
    colours = [thing.colour for thing in scene.objects]
    single = [thing for thing in scene.objects if colours.count(thing.colour) == 1] or list(scene.objects[:1])
    target = single[int(rng.random() * len(single))]
    others = [name for name in NAMES[target.kind] if name != target.name]
    options = [target.name, *(others[int(index)] for index in rng.permutation(len(others))[:3])]
    order = [int(index) for index in rng.permutation(4)]
    choices = tuple(options[index] for index in order)
    question = f"What is the {target.colour} {target.kind}?"
    return [asked.item(Exchange((Text(question),), (Text(_LETTERS[order.index(0)]),), choices, "choice"))]


def guess(asked: Asked) -> list[Item]:
    """A letter, from nothing: whoever does not see the picture is right one time in four."""
    return told(_LETTERS[int(asked.rng().integers(4))])


RULES: dict[str, Rule] = {
    "conversation": mixed(CONVERSATION),
    "reasoning": mixed(_REASONING),
    "referring": mixed(_REFERRING),
    "reading": mixed(_READING),
    "words": mixed(CONVERSATION, boxes=False),
    "negative": mixed(_EXISTENCE),
    "detail": described(detailed_caption.ask),
    "caption": described(caption.ask),
    "summary": described(caption.ask),
    "continuation": further,
    "multiple_choice": choice,
    "guess": guess,
}
