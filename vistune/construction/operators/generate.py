"""Generation by a language model: ask, check, parse, and put the result where it belongs."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeAlias

from vistune.completer import Completer, Reply
from vistune.construction.facts import Facts
from vistune.construction.guards import fault
from vistune.construction.parsers.base import Item, Pairs
from vistune.construction.prompt import Ask, NothingToShowError, Prompt
from vistune.construction.record import Exchange, Operator, Record, pairs_to_turns, when

Apply: TypeAlias = Callable[[Record, Prompt, Sequence[Item]], Iterable[Record]]

_HELD = 1024  # rejected records that may wait behind open requests; then those are waited for before more is asked


def generate(
    completer: Completer, prompts: Prompt | Mapping[str, Prompt], then: Apply | None = None, seed: int = 0
) -> Operator:
    """Ask a prompt (or the one for each record's task) about every live record.

    A reply that is an error, empty, cut, a refusal, injected or in the wrong language rejects its record, and so does one
    that its format's parser faults; of formats whose pieces are independent, a faulty piece is rejected and the others live.
    A record with nothing that the prompt could show is rejected as `missing` and not asked about.
    `then` puts what was parsed into the record (default: `conversation`).
    """
    apply = then or conversation

    def asked(records: Iterator[Record]) -> Iterator[Record]:
        """Until the records that pass and wait behind open requests are as many as may be held."""
        waiting: deque[tuple[Record, Ask | None]] = deque()
        passing = 0

        def asks() -> Iterator[Ask]:
            nonlocal passing
            for record in records:
                record, ask = (record, None) if record.reject else _ask(prompts, record, seed)
                waiting.append((record, ask))
                if ask is not None:
                    yield ask
                    continue
                passing += 1
                # `run` starts another round afterwards. Ending the questions is the only way to make the completer give back
                # what is open.
                if passing >= _HELD:
                    return

        def passed() -> Iterator[Record]:
            nonlocal passing
            while waiting and waiting[0][1] is None:
                passing -= 1
                yield waiting.popleft()[0]

        # The completer asks many at once and replies in order; records that need no reply wait in the queue to keep their
        # place.
        for reply in completer.complete(asks()):
            yield from passed()
            record, ask = waiting.popleft()
            assert ask is not None
            yield from _receive(record, ask, reply, apply)
            yield from passed()
        yield from passed()

    def run(records: Iterable[Record]) -> Iterator[Record]:
        source = iter(records)
        for record in source:
            if record.reject:
                yield record
            else:
                yield from asked(chain([record], source))

    return run


def persistent(
    completer: Completer, prompts: Prompt | Mapping[str, Prompt], then: Apply | None = None, seed: int = 0, rounds: int = 3
) -> list[Operator]:
    """`generate`, and again with another seed for records whose whole reply was unusable, up to `rounds` times in all."""
    steps = [generate(completer, prompts, then, seed)]
    for number in range(1, rounds):
        again = generate(completer, prompts, then, seed + number)
        # The mark keeps the round to the records that were revived: those with a good reply would be asked again too.
        steps += [_revive(str(number)), when(_marked(str(number)), again)]
    return steps


_UNUSABLE = frozenset({"endpoint", "truncated", "empty", "refused", "language", "format"})


def _revive(mark: str) -> Operator:
    def run(records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            # A faulty piece of a reply whose other pieces live is no reason to ask again: the good ones would come twice.
            whole = "#problem" not in record.id and record.reason in _UNUSABLE
            yield replace(record, reject="").with_note("again", mark) if whole else record

    return run


def _marked(mark: str) -> Callable[[Record], bool]:
    return lambda record: record.notes.get("again") == mark


def _prompt(prompts: Prompt | Mapping[str, Prompt], record: Record) -> Prompt:
    return prompts if isinstance(prompts, Prompt) else prompts[record.task]


def _ask(prompts: Prompt | Mapping[str, Prompt], record: Record, seed: int) -> tuple[Record, Ask | None]:
    try:
        return record, _prompt(prompts, record).ask(record, seed)
    except NothingToShowError as error:
        return record.rejected("missing", str(error)), None


def _receive(record: Record, ask: Ask, reply: Reply, apply: Apply) -> Iterator[Record]:
    prompt = ask.prompt
    assert prompt is not None
    # Before anything is judged: the review page shows what was asked and said of rejected records too.
    record = replace(record, exchanges=(*record.exchanges, Exchange(prompt.name, ask, reply)))
    wrong = fault(reply, prompt.language)
    if wrong:
        yield record.rejected(*wrong)
        return
    parsed = prompt.format.parse(reply.text)
    if parsed.problems and (not prompt.format.independent or not parsed.items):
        yield record.rejected("format", parsed.problems[0].reason)
        return
    yield from apply(record, prompt, parsed.items)
    for number, problem in enumerate(parsed.problems):
        piece = replace(record, id=f"{record.id}#problem{number}")
        yield piece.rejected("format", f"{problem.reason}: {problem.text[:200]}")


def conversation(record: Record, prompt: Prompt, items: Sequence[Item]) -> Iterator[Record]:
    """All pairs of a reply, in order, as the record's conversation."""
    pairs = _asked(record, prompt, tuple(pair for item in items for pair in item.pairs))
    yield replace(record, turns=record.turns + pairs_to_turns(pairs), choices=items[0].fields.get("choices", ()))


def apart(record: Record, prompt: Prompt, items: Sequence[Item]) -> Iterator[Record]:
    """Every item as a record of its own."""
    for number, item in enumerate(items):
        pairs = _asked(record, prompt, item.pairs)
        single = replace(record, id=f"{record.id}#{number}", turns=pairs_to_turns(pairs))
        yield replace(single, choices=item.fields.get("choices", ()), meta={**record.meta, **_plain(item)})


def groups(size: int) -> Apply:
    """Every `size` items as one conversation; a rest that fills none is rejected."""

    def apply(record: Record, prompt: Prompt, items: Sequence[Item]) -> Iterator[Record]:
        for start in range(0, len(items), size):
            group = items[start : start + size]
            part = replace(record, id=f"{record.id}#{start // size}")
            if len(group) < size:
                yield part.rejected("incomplete", f"{len(group)} of {size} pairs")
            else:
                yield from conversation(part, prompt, group)

    return apply


def note(name: str) -> Apply:
    """The reply's text as a note, for later prompts."""
    return lambda record, prompt, items: [record.with_note(name, items[0].pairs[0][1])]


def as_caption(record: Record, prompt: Prompt, items: Sequence[Item]) -> Iterator[Record]:
    """The reply's text as one more caption."""
    yield replace(record, facts=record.facts.joined(Facts(captions=(items[0].pairs[0][1],))))


def answers(record: Record, prompt: Prompt, items: Sequence[Item]) -> Iterator[Record]:
    """New answers to the questions the record has; the reply must have as many pairs, and the questions stay."""
    new = [pair for item in items for pair in item.pairs]
    old = record.pairs()
    if len(new) != len(old):
        yield record.rejected("pairs lost", f"{len(new)} of {len(old)} came back")
        return
    # Models reword the questions they were given; the old ones are what the data set asks.
    kept = [(question, answer) for (question, _), (_, answer) in zip(old, new, strict=True)]
    yield replace(record, turns=pairs_to_turns(kept))


def pairs(record: Record, prompt: Prompt, items: Sequence[Item]) -> Iterator[Record]:
    """New questions and answers for those the record has; the reply must have as many pairs."""
    new = [pair for item in items for pair in item.pairs]
    if len(new) != len(record.pairs()):
        yield record.rejected("pairs lost", f"{len(new)} of {len(record.pairs())} came back")
    else:
        yield replace(record, turns=pairs_to_turns(new))


def _asked(record: Record, prompt: Prompt, spoken: Pairs) -> Pairs:
    if not prompt.questions:
        return spoken
    draw = random.Random(f"{prompt.name}:{record.id}")
    return tuple((ask or draw.choice(prompt.questions).format(**record.notes), tell) for ask, tell in spoken)


def _plain(item: Item) -> dict[str, object]:
    return {name: value for name, value in item.fields.items() if name != "choices"}
