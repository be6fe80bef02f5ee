"""`Record`: what flows through a pipeline, and the few functions every operator is made with.

A record that fails is not dropped: it carries the reason and passes through the remaining operators untouched, so that
every failure is counted and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from vistune.completer import Reply, Request
from vistune.construction.facts import Boxed, Facts, Spoken, facts_of
from vistune.sample import Media, MediaRef, Part, Produce, Sample, Text, Turn


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its raw reply; `step` is the prompt's name."""

    step: str
    request: Request
    reply: Reply


@dataclass(frozen=True, slots=True)
class Record:
    """Media, what is known about them, and what has been made so far.

    `task` chooses among a pipeline's prompts; `notes` are texts that earlier passes wrote for later ones (a caption, a
    plan); `turns` is the conversation being built; `size` is the first picture's (width, height); `reject` is `reason` or
    `reason: detail` once the record has failed.
    """

    id: str
    media: tuple[Media, ...] = ()
    facts: Facts = field(default_factory=Facts)
    task: str = ""
    turns: tuple[Turn, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    exchanges: tuple[Exchange, ...] = ()
    reject: str = ""

    def rejected(self, reason: str, detail: str = "") -> Record:
        """The same record, failed. `reason` is one word or phrase that statistics count."""
        return replace(self, reject=f"{reason}: {detail}" if detail else reason)

    @property
    def reason(self) -> str:
        """What statistics count: the reject without its detail."""
        return self.reject.partition(":")[0]

    def with_note(self, name: str, text: str) -> Record:
        """The same record with one more note."""
        return replace(self, notes={**self.notes, name: text})

    def with_meta(self, name: str, value: Any) -> Record:
        """The same record with one more entry in `meta`."""
        return replace(self, meta={**self.meta, name: value})

    def showing(self, kept: Sequence[int]) -> Record:
        """The same record with these of its media, and the scenes of the world that they show, in this order."""
        scenes = self.meta.get("scenes")
        shown = replace(self, media=tuple(self.media[number] for number in kept))
        if not isinstance(scenes, list) or len(scenes) != len(self.media):
            return shown
        return shown.with_meta("scenes", [scenes[number] for number in kept])

    def with_facts(self, facts: Facts) -> Record:
        """The same record, about which these facts are known."""
        return replace(self, facts=facts)

    def with_turns(self, turns: tuple[Turn, ...]) -> Record:
        """The same record with this conversation."""
        return replace(self, turns=turns)

    def pairs(self) -> list[tuple[str, str]]:
        """The conversation as (user text, assistant text) pairs."""
        return [
            (first.text, second.text)
            for first, second in zip(self.turns, self.turns[1:], strict=False)
            if first.role == "user" and second.role == "assistant"
        ]


Operator: TypeAlias = Callable[[Iterable[Record]], Iterator[Record]]


_KEPT_META = ("dataset", "split", "language", "topic", "scenes")


def record_of(sample: Sample, spoken: Spoken = "qa", boxed: Boxed = "objects") -> Record:
    """A reader's sample as the start of a pipeline: its media and its facts."""
    meta = {name: value for name, value in sample.meta.items() if name in _KEPT_META}
    return Record(sample.id, sample.media, facts_of(sample, spoken, boxed), meta=meta)


def sample_of(record: Record) -> Sample:
    """The finished sample; media that no turn places stand before the first user turn, a line break between."""
    placed = {part.index for turn in record.turns for part in turn.parts if isinstance(part, MediaRef | Produce)}
    loose = [index for index in range(len(record.media)) if index not in placed]
    first = next((index for index, turn in enumerate(record.turns) if turn.role == "user"), 0)
    turns = tuple(_opened(turn, loose) if index == first else turn for index, turn in enumerate(record.turns))
    meta = dict(record.meta) | ({"task": record.task} if record.task else {})
    return Sample(record.id, record.media, turns, choices=record.choices, meta=meta)


def _opened(turn: Turn, media: list[int]) -> Turn:
    if not media:
        return turn
    shown: list[Part] = [part for index in media for part in (MediaRef(index), Text("\n"))]
    head, *rest = turn.parts
    if isinstance(head, Text):
        return replace(turn, parts=(*shown[:-1], Text(f"\n{head.text}"), *rest))
    return replace(turn, parts=(*shown, *turn.parts))


def each(change: Callable[[Record], Record | Iterable[Record]]) -> Operator:
    """An operator that changes live records one by one (into one or several) and lets rejected ones pass."""

    def run(records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            if record.reject:
                yield record
                continue
            changed = change(record)
            if isinstance(changed, Record):
                yield changed
            else:
                yield from changed

    return run


_PASSES = "\0"  # no reason begins with it


def when(condition: Callable[[Record], bool], operator: Operator) -> Operator:
    """Apply an operator to the records that meet a condition; order is kept.

    The others go through it marked as rejected ones, which every operator lets pass, so that none is held back for the
    sake of the order.
    """

    def marked(record: Record) -> Record:
        chosen = not record.reject and condition(record)
        return record if chosen else replace(record, reject=_PASSES + record.reject)

    def run(records: Iterable[Record]) -> Iterator[Record]:
        for record in operator(marked(record) for record in records):
            passed = record.reject.startswith(_PASSES)
            yield replace(record, reject=record.reject.removeprefix(_PASSES)) if passed else record

    return run


def of_task(*names: str) -> Callable[[Record], bool]:
    """The condition that a record's task is one of these."""
    return lambda record: record.task in names


def chain(records: Iterable[Record], operators: Iterable[Operator]) -> Iterator[Record]:
    """Records through operators in order, lazily."""
    for operator in operators:
        records = operator(records)
    return iter(records)


def pairs_to_turns(pairs: Iterable[tuple[str, str]]) -> tuple[Turn, ...]:
    """(question, answer) pairs as alternating turns of plain text."""
    return tuple(turn for ask, tell in pairs for turn in (Turn("user", (Text(ask),)), Turn("assistant", (Text(tell),))))
