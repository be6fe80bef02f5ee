"""Operators at the start of a pipeline: what a record must have, and which task falls to it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from vistune.construction.context import words
from vistune.construction.facts import check_kind
from vistune.construction.guards import injected
from vistune.construction.media_files import size_of
from vistune.construction.record import Operator, Record, each


def require(*needs: str) -> Operator:
    """Reject records about which one of these needs is not known, or whose facts hold orders to a model.

    A need is a kind of facts, or several of which one is enough: `"regions or objects"`.
    """
    for need in needs:
        for kind in alternatives(need):
            check_kind(kind)

    def check(record: Record) -> Record:
        missing = [need for need in needs if not any(record.facts.has(kind) for kind in alternatives(need))]
        if missing:
            return record.rejected("missing", ", ".join(missing))
        return record.rejected("injected context") if injected(words(record.facts)) else record

    return each(check)


def alternatives(need: str) -> list[str]:
    """The kinds of facts that a need names."""
    return need.split(" or ")


def share(seed: int = 0, **shares: float) -> Operator:
    """Give each record one task, at random in these proportions: `share(conversation=58, detail=23, reasoning=77)`."""

    def assign(record: Record) -> Record:
        draw = random.Random(f"{seed}:share:{record.id}")
        return replace(record, task=draw.choices(list(shares), list(shares.values()))[0])

    return each(assign)


def fan(*tasks: str) -> Operator:
    """One copy of each record for every task."""
    return each(lambda record: [replace(record, id=f"{record.id}/{task}", task=task) for task in tasks])


def measure() -> Operator:
    """Note the first picture's size, which notations in pixels or on a padded square need."""

    def look(record: Record) -> Record:
        picture = next((medium for medium in record.media if medium.kind == "image"), None)
        return record.rejected("missing", "image") if picture is None else replace(record, size=size_of(picture))

    return each(look)


def round_robin(key: str, window: int = 4096) -> Operator:
    """Reorder so that the values of `meta[key]` take turns, among the next `window` records, which are held."""

    def run(records: Iterable[Record]) -> Iterator[Record]:
        source = iter(records)
        turns: deque[str] = deque()
        queues: dict[str, deque[Record]] = {}

        def hold(record: Record) -> None:
            value = str(record.meta.get(key, ""))
            if value not in queues:
                turns.append(value)
            queues.setdefault(value, deque()).append(record)

        for record in islice(source, window):
            hold(record)
        while turns:
            value = turns.popleft()
            yield queues[value].popleft()
            if queues[value]:
                turns.append(value)
            else:
                del queues[value]
            for record in islice(source, 1):
                hold(record)

    return run
