"""Samples that begin alike read their beginning once: the questions about one picture, the options of one question.

    packed    s s I I I a b | s s I I I a c d | q q e       what `pack` lays out
    shared    s s I I I a | b | c d | q q e                 one beginning, and what stands behind it in each sample
    lengths   6             1   2     3
    after     -             0   0     -                     the piece that a piece goes on from

Keys and values of a beginning depend on nothing behind it in a causal decoder, so what follows is computed as if each sample
had been read whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import torch
from torch import Tensor

from vistune.model.language.inputs import Inputs
from vistune.model.packing import Example


@dataclass(frozen=True, slots=True)
class Shared:
    """A packed row of T tokens without its repetitions.

    `kept [S]` are the places of the row's tokens that are read, piece by piece; `back [T]` tells for each token of the row
    which of these is it. Piece i has `lengths[i]` tokens and goes on from piece `after[i]`, or begins a sample. Sample i ends
    with piece `last[i]`.
    """

    kept: Tensor
    back: Tensor
    lengths: tuple[int, ...]
    after: tuple[int | None, ...]
    last: tuple[int, ...]

    def read(self, inputs: Inputs) -> Inputs | None:
        """The row of the pieces; None where a fusion made the beginnings differ, or lets tokens look outside the row."""
        if inputs.context is not None:
            return None
        index = self.kept.to(inputs.embeds.device)
        repeated = index[self.back.to(index.device)]
        for field in (inputs.embeds, inputs.positions, inputs.modality):
            # Tokens were equal, but a fusion may have put something of its own into one sample's beginning; only what is
            # really the same to the bit may be shared.
            if field is not None and not torch.equal(field[repeated], field):
                return None
        return replace(
            inputs,
            embeds=inputs.embeds[index],
            positions=inputs.positions[index],
            lengths=self.lengths,
            modality=None if inputs.modality is None else inputs.modality[index],
        )


def shared_prefixes(examples: Sequence[Example]) -> Shared | None:
    """What samples packed in this order have in common: those alike up to their first medium, as far as all of them agree.

    None when nothing is. Every sample keeps a token of its own. Media are the same when they were prepared once.
    """
    rows = [tokens(example) for example in examples]
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for number, example in enumerate(examples):
        slots = [slot for places in example.rendered.slots.values() for slot in places]
        first = min(slots, key=lambda slot: slot.start, default=None)
        # Grouped up to the first medium and through it: media are what makes a beginning long, and comparing all pairs would
        # be quadratic.
        groups[() if first is None else tuple(rows[number][: first.start + first.length])].append(number)
    common: dict[int, tuple[int, int]] = {}
    for members in groups.values():
        length = agreement([rows[number] for number in members]) if len(members) > 1 else 0
        common |= {number: (members[0], length) for number in members if length}
    return lay(rows, common) if common else None


def lay(rows: Sequence[Sequence[Hashable]], common: dict[int, tuple[int, int]]) -> Shared:
    """Pieces of `rows`; row i has its first `common[i][1]` tokens in common with row `common[i][0]`."""
    kept: list[int] = []
    back: list[int] = []
    lengths: list[int] = []
    after: list[int | None] = []
    last: list[int] = []
    pieces: dict[int, tuple[int, int]] = {}  # by first member: the beginning's piece and where it starts among what is kept
    start = 0
    for number, row in enumerate(rows):
        first, length = common.get(number, (number, 0))
        if length and first not in pieces:
            pieces[first] = len(lengths), len(kept)
            kept += range(start, start + length)
            lengths.append(length)
            after.append(None)
        piece, place = pieces[first] if length else (None, 0)
        back += [*range(place, place + length), *range(len(kept), len(kept) + len(row) - length)]
        kept += range(start + length, start + len(row))
        last.append(len(lengths))
        lengths.append(len(row) - length)
        after.append(piece)
        start += len(row)
    return Shared(torch.tensor(kept), torch.tensor(back), tuple(lengths), tuple(after), tuple(last))


def tokens(example: Example) -> list[Hashable]:
    """What stands at each place of a sample: a token's id, or the medium or region whose tokens fill it."""
    row: list[Hashable] = list(example.rendered.ids)
    for kind, places in example.rendered.slots.items():
        for slot in places:
            thing = example.things[kind][slot.which]
            # Placeholders have equal ids whatever they stand for; the medium's identity takes their place in the comparison.
            row[slot.start : slot.start + slot.length] = [(kind, id(thing.prepared), id(thing.view))] * slot.length
    return row


def agreement(rows: Sequence[Sequence[Hashable]]) -> int:
    """How many tokens all rows begin with, one of each left over."""
    # One token of each row stays its own, since generation begins with computing it.
    shortest = min(map(len, rows)) - 1
    return sum(1 for _ in takewhile(lambda place: len({row[place] for row in rows}) == 1, range(shortest)))
