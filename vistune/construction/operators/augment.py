"""Augmentation without a model: jittered boxes, merged conversations, a stated answer format."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from vistune.construction.record import Operator, Record, each
from vistune.sample import Box, Region, Text, Turn

SHORT = "Answer with a single word or phrase."


def jitter(amount: float = 0.02, seed: int = 0) -> Operator:
    """Move every edge of the boxes that users point with by up to `amount` of the box's own width or height."""

    def shake(record: Record) -> Record:
        # By record: what is drawn does not depend on how many records came before, so a run that goes on draws alike.
        draw = random.Random(f"{seed}:jitter:{record.id}")
        turns = tuple(
            replace(turn, parts=tuple(_shaken(part, amount, draw) if isinstance(part, Region) else part for part in turn.parts))
            if turn.role == "user"
            else turn
            for turn in record.turns
        )
        return replace(record, turns=turns)

    return each(shake)


def _shaken(region: Region, amount: float, draw: random.Random) -> Region:
    if region.box is None:
        return region
    x1, y1, x2, y2 = region.box
    width, height = x2 - x1, y2 - y1
    moved = [
        value + draw.uniform(-amount, amount) * extent for value, extent in zip(region.box, (width, height) * 2, strict=True)
    ]
    a, b, c, d = (min(1.0, max(0.0, value)) for value in moved)
    # The edges of a thin box may have passed each other.
    box: Box = (min(a, c), min(b, d), max(a, c), max(b, d))
    return replace(region, box=box)


def merge_turns(most: int) -> Operator:
    """Join neighbouring records about the same media into one conversation of up to `most` questions."""

    def run(records: Iterable[Record]) -> Iterator[Record]:
        held: Record | None = None
        for record in records:
            if record.reject:
                yield record
                continue
            # Only neighbours are joined: waiting for a later record about the same media would hold a whole stream.
            if held is not None and held.media == record.media and len(held.turns) + len(record.turns) <= 2 * most:
                held = replace(held, turns=held.turns + record.turns, exchanges=held.exchanges + record.exchanges)
                continue
            if held is not None:
                yield held
            held = record
        if held is not None:
            yield held

    return run


def state_format(prompt: str = SHORT, needs: Callable[[Record], bool] = lambda record: True) -> Operator:
    """Say after each question what form the answer takes (LLaVA-1.5), for the records that need it."""

    def add(record: Record) -> Record:
        if not needs(record):
            return record
        turns = tuple(
            Turn("user", (*turn.parts, Text(f"\n{prompt}")), turn.train) if turn.role == "user" else turn
            for turn in record.turns
        )
        return replace(record, turns=turns)

    return each(add)
