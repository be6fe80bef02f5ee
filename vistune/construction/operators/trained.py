"""Trained generators: a model that sees the picture writes the data itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vistune.construction.kit import Kit
from vistune.construction.operators.generate import generate, note
from vistune.construction.parsers.base import Item
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, each, pairs_to_turns, when


def question_then_answer(kit: Kit, ask: Prompt, tell: Prompt, correct: Prompt, rounds: int) -> list[Operator]:
    """VIGC: generate a question, then an answer whose first sentence alone is kept; the model goes on from there.

    In each round the answer so far is part of the prompt, so that a text-conditioned Q-Former looks at the picture again with
    it in view; a round that adds nothing ends the answer (Wang et al., VIGC, 2023, section 3.3).
    """
    eyes = kit.eyes()
    first = [generate(eyes, ask, note("question"), kit.seed), generate(eyes, tell, note("draft"), kit.seed), _begin()]
    further = [step for _ in range(rounds) for step in (generate(eyes, correct, note("draft"), kit.seed), _extend())]
    return [*first, *further, _finish()]


def first_sentence(text: str) -> str:
    """Up to the first full stop, question or exclamation mark that ends a sentence."""
    for index, character in enumerate(text):
        if character in ".!?" and (index + 1 == len(text) or text[index + 1].isspace()):
            return text[: index + 1].strip()
    return text.strip()


def _begin() -> Operator:
    return each(lambda record: record.with_note("answer", first_sentence(record.notes["draft"])))


def _extend() -> Operator:
    def add(record: Record) -> Record:
        sentence = first_sentence(record.notes["draft"])
        if sentence in record.notes["answer"]:
            return record
        return record.with_note("answer", f"{record.notes['answer']} {sentence}")

    return each(add)


def _finish() -> Operator:
    return each(lambda record: replace(record, turns=pairs_to_turns([(record.notes["question"], record.notes["answer"])])))


def long_caption(kit: Kit, describe: Prompt, go_on: Prompt, words: int = 60) -> list[Operator]:
    """MiniGPT-4: describe the picture; where the text is short, ask once more to continue it (80 tokens, about 60 words)."""
    eyes = kit.eyes()
    return [
        generate(eyes, describe, note("caption"), kit.seed),
        when(lambda record: len(record.notes["caption"].split()) < words, generate(eyes, go_on, _continued, kit.seed)),
    ]


def _continued(record: Record, prompt: Prompt, items: Sequence[Item]) -> list[Record]:
    return [record.with_note("caption", f"{record.notes['caption']} {items[0].pairs[0][1]}")]
