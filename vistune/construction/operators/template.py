"""Templates: a fixed answer under one of several paraphrased instructions."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from vistune.construction.record import Operator, Record, each, pairs_to_turns
from vistune.data.fields.lettered import lettered
from vistune.sample import Text, Turn


@dataclass(frozen=True, slots=True)
class Filled:
    """What a template says about a record: the blanks of the instruction, and the answer."""

    answer: str
    blanks: Mapping[str, str]

    @classmethod
    def of(cls, answer: str, **blanks: str) -> Filled:
        """`Filled.of("a cat", name="...")`."""
        return cls(answer, blanks)


@dataclass(frozen=True, slots=True)
class Template:
    """A task by template: paraphrases with `{blanks}`, and what fills them (nothing, one or several times per record)."""

    name: str
    paraphrases: tuple[str, ...]
    fill: Callable[[Record], Iterable[Filled]]


def templates(*tasks: Template, seed: int = 0) -> Operator:
    """Apply every template; each filled one is a record of its own. A record that none fits is rejected."""

    def apply(record: Record) -> list[Record]:
        made = [_made(record, task, filled, number, seed) for task in tasks for number, filled in enumerate(task.fill(record))]
        return made or [record.rejected("no template fits")]

    return each(apply)


def _made(record: Record, task: Template, filled: Filled, number: int, seed: int) -> Record:
    name = f"{record.id}/{task.name}{number}"
    question = random.Random(f"{seed}:{name}").choice(task.paraphrases).format(**filled.blanks)
    return replace(record, id=name, task=task.name, turns=pairs_to_turns([(question, filled.answer)]))


def with_system(messages: Mapping[str, str]) -> Operator:
    """Put a system turn, chosen by task, before the conversation (LAMM gives every task its own)."""

    def add(record: Record) -> Record:
        said = messages.get(record.task)
        return record if said is None else replace(record, turns=(Turn("system", (Text(said),)), *record.turns))

    return each(add)


def list_options() -> Operator:
    """Write a record's options under its questions, as the reader `qa` does: a sample shows no options but those in a turn."""

    def add(record: Record) -> Record:
        if not record.choices:
            return record
        turns = tuple(
            replace(turn, parts=(*turn.parts, Text(f"\n{lettered(record.choices)}"))) if turn.role == "user" else turn
            for turn in record.turns
        )
        return record.with_turns(turns)

    return each(add)


def describe(paraphrases: tuple[str, ...], name: str = "describe") -> Template:
    """The first caption under paraphrases of "describe this"."""
    return Template(name, paraphrases, lambda record: [Filled.of(text) for text in record.facts.captions[:1]])


def asked(paraphrases: tuple[str, ...] = ("{question}",), name: str = "ask") -> Template:
    """Every known question and answer, the question as the blank `{question}`."""
    return Template(name, paraphrases, lambda record: [Filled.of(tell, question=ask) for ask, tell in record.facts.qa])
