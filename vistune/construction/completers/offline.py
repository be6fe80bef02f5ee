"""`offline`: answers about the embedded world from its scenes' truth, by rule; nothing is downloaded and nobody is asked.

It stands in for a language model on a machine without one, so that pipelines run from end to end and what they make can
teach a model. It draws a record's scene again from its seed and answers with the world's own tasks, in the reply format that
the prompt asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from vistune.completer import Reply, Request
from vistune.construction.boxes import Notation
from vistune.construction.http.wire import prompt_tokens, text_tokens
from vistune.construction.media_files import size_of
from vistune.construction.parsers.base import Item
from vistune.construction.prompt import Ask, Kind
from vistune.construction.record import Record
from vistune.construction.running.account import Account
from vistune.errors import InputError
from vistune.sample import Part, Region, Text
from vistune.world.digits import SPLITS
from vistune.world.exchange import Exchange
from vistune.world.expressions import phrase
from vistune.world.instructions import CONVERSATION_WEIGHTS, converse
from vistune.world.scene import NAMES, Scene, make_scene
from vistune.world.tasks import caption, detailed_caption

_Rule: TypeAlias = Callable[[Scene, np.random.Generator, int], list[Exchange]]

_EXISTENCE = {"existence_adversarial": 2.0, "existence_popular": 1.0, "existence_random": 1.0}
# Who is told to make up questions about a picture asks about what is there; what is not is asked about where a prompt wants
# negatives. That conversations of this kind lack them is what LRV-Instruction set out to mend (arXiv 2306.14565, section 1).
_CONVERSATION = {task: weight for task, weight in CONVERSATION_WEIGHTS.items() if task not in _EXISTENCE}
# Boxes and words by expressions like "the leftmost" compare, too: so often that, over LLaVA's proportions of conversation,
# description and reasoning, they come up as often as in the world's own conversations and are taught no less.
_REASONING = {"arithmetic": 1.0, "comparison": 1.0, "spatial": 1.0, "count": 0.5, "reading": 0.4, "refer_box": 0.4}
_REFERRING = {"refer_box": 2.0, "describe_region": 1.0, "detection": 1.0}
_LETTERS = "ABCD"


class Offline:
    """The completer `offline`. `turns`: questions in a conversation, at most."""

    def __init__(self, turns: int = 6) -> None:
        self.account = Account()
        self._turns = turns

    def complete(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Answer in order. Raises `InputError` for records that are not of the world and for tasks without a rule."""
        for request in requests:
            text = self._answer(request)
            reply = Reply(text, "offline", "stop", prompt_tokens(request), text_tokens(text))
            self.account.asked += 1
            self.account.answered += 1
            self.account.prompt_tokens += reply.prompt_tokens
            self.account.completion_tokens += reply.completion_tokens
            yield reply

    def _answer(self, request: Request) -> str:
        if not isinstance(request, Ask) or request.prompt is None or request.record is None:
            raise InputError("the offline completer answers only what a pipeline asks about a record")
        kind = request.prompt.kind
        if kind not in _RULES:
            raise InputError(
                f"the offline completer has no rule for the task {kind!r} (it has {', '.join(_RULES)}): give --completer, for "
                "example endpoint:http://127.0.0.1:8000/v1?model=NAME"
            )
        scene, size = scene_of(request.record), size_of(request.record.media[0])
        notation = Notation(request.prompt.notation, size, request.prompt.square)
        exchanges = _RULES[kind](scene, np.random.default_rng(request.seed), self._turns)
        return request.prompt.format.write([_item(exchange, notation) for exchange in exchanges])


def scene_of(record: Record) -> Scene:
    """The scene a record shows, drawn again. Raises `InputError` when the record is not one of the world's clean scenes."""
    seeds, split = record.meta.get("scenes"), record.meta.get("split")
    if not seeds or split not in SPLITS or not record.media:
        raise InputError(f"record {record.id!r} is not of the embedded world, the only data that the offline completer knows")
    scene = make_scene(seeds[0], split, size_of(record.media[0])[0])
    drawn = {(phrase(thing), thing.box) for thing in scene.objects}
    if drawn != {(region.label, region.box) for region in record.facts.objects}:
        raise InputError(f"record {record.id!r} is not a clean scene of the world: use the domain 'clean'")
    return scene


def _mixed(weights: Mapping[str, float]) -> _Rule:
    def answer(scene: Scene, rng: np.random.Generator, turns: int) -> list[Exchange]:
        return converse(scene, rng, turns, weights) or converse(scene, rng, turns, _CONVERSATION)

    return answer


def _described(ask: Callable[[Scene, np.random.Generator], Exchange | None]) -> _Rule:
    """The description alone: the pipeline has questions of its own for it."""

    def answer(scene: Scene, rng: np.random.Generator, _: int) -> list[Exchange]:
        exchange = ask(scene, rng)
        assert exchange is not None, "every scene can be described"
        return [replace(exchange, question=())]

    return answer


def _choice(scene: Scene, rng: np.random.Generator, _: int) -> list[Exchange]:
    colours = [thing.colour for thing in scene.objects]
    single = [thing for thing in scene.objects if colours.count(thing.colour) == 1] or list(scene.objects[:1])
    target = single[int(rng.random() * len(single))]
    others = [name for name in NAMES[target.kind] if name != target.name]
    options = [target.name, *(others[int(index)] for index in rng.permutation(len(others))[:3])]
    order = [int(index) for index in rng.permutation(4)]
    choices = tuple(options[index] for index in order)
    question = f"What is the {target.colour} {target.kind}?"
    return [Exchange((Text(question),), (Text(_LETTERS[order.index(0)]),), choices, "choice")]


def _item(exchange: Exchange, notation: Notation) -> Item:
    pair = (_words(exchange.question, notation), _words(exchange.answer, notation))
    return Item.of(pair, choices=exchange.answers) if exchange.topic == "choice" else Item.of(pair)


def _words(parts: Iterable[Part], notation: Notation) -> str:
    return "".join(_word(part, notation) for part in parts).strip()


def _word(part: Part, notation: Notation) -> str:
    if isinstance(part, Text):
        return part.text.replace(": ", ", ")  # a colon and a blank would end a label in some reply formats
    assert isinstance(part, Region), "the tasks mixed into conversations have words and boxes only"
    return notation.write(part.bounds())


_RULES: dict[Kind, _Rule] = {
    "conversation": _mixed(_CONVERSATION),
    "reasoning": _mixed(_REASONING),
    "referring": _mixed(_REFERRING),
    "negative": _mixed(_EXISTENCE),
    "detail": _described(detailed_caption.ask),
    "caption": _described(caption.ask),
    "summary": _described(caption.ask),
    "multiple_choice": _choice,
}
