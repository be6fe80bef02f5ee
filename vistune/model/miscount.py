"""A part that gives another number of tokens than it promised, told by name and sample instead of by shapes that do not fit.

Places in the sequence are reserved from headers, before anything is computed. A part whose `num_tokens` or `layout` is wrong
would show itself much later, as two tensors that cannot be joined; here the promise is checked where it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import TextContext
from vistune.model.features import Features, Prepared
from vistune.model.modalities.chain import Chain
from vistune.model.packing import Batch
from vistune.prompt.render import Slot


@contextmanager
def told(batch: Batch, kind: str, chain: Chain | None, names: Sequence[str]) -> Iterator[None]:
    """Inside, an error that comes of a miscount of one of a chain's parts (called `names`) becomes the sentence about it."""
    try:
        yield
    except (RuntimeError, ValueError, IndexError) as error:
        # A wrong count surfaces as a shape error deep inside torch. Only when that has happened is the chain run again, one
        # medium at a time, to find the part: a check ahead of every step would cost a second forward pass.
        if chain is None:
            raise
        for number, thing in enumerate(batch.things[kind]):
            found = None if thing.prepared is None else _miscount(chain, thing.ready, names)
            if found is not None:
                raise InputError(f"{found} of {_where(batch, kind, number)}") from error
        raise


def check(batch: Batch, kind: str, tokens: Mapping[int, Tensor], places: Mapping[int, int], who: str) -> None:
    """The tokens of each thing of a kind take as many `places` as its slots have. Raises `InputError` where they do not."""
    for number, count in places.items():
        slot = _slot(batch, kind, number)
        # A medium without a slot is one that a fusion keeps beside the row: there is no place to miscount.
        if slot is not None and count != slot.length:
            raise InputError(
                f"{who} gives {len(tokens[number])} tokens, which take {count} places, for {_where(batch, kind, number)}, "
                f"but {slot.length} places were promised and are waiting for it"
            )


def _miscount(chain: Chain, medium: Prepared, names: Sequence[str]) -> str | None:
    """The first part of a chain that does not keep its promise for a medium, in words; None where all do."""
    layout = medium.layout
    with torch.no_grad():
        features = chain.features([medium])[0]
        got = features.x.shape[:2]
        if got != (layout.inputs, layout.tokens):
            return _broken(names[0], chain.encoder, "layout", got, (layout.inputs, layout.tokens))
        for name, connector in zip(names[1:], chain.connectors, strict=True):
            promised = connector.num_tokens(layout.tokens, layout.grid)
            made = connector(features, TextContext(("",) * len(features.x), chain.reads))
            if made.shape[1] != promised:
                return _broken(name, connector, "num_tokens", made.shape[:2], (len(features.x), promised))
            after = connector.layout_after(layout)
            joined = connector.join(made, layout)
            if joined.shape[:2] != (after.inputs, after.tokens):
                return _broken(name, connector, "layout_after", joined.shape[:2], (after.inputs, after.tokens))
            features, layout = Features(joined, after.grid), after
    return None


def _broken(name: str, part: nn.Module, method: str, got: Sequence[int], promised: tuple[int, int]) -> str:
    given, said = ("{} x {}".format(*counts) if counts[0] != 1 else str(counts[1]) for counts in (got, promised))
    return f"the part {name!r} ({type(part).__name__}) gives {given} tokens where its {method} promises {said}, for a medium"


def _slot(batch: Batch, kind: str, number: int) -> Slot | None:
    return next((slot for slot in batch.slots.get(kind, []) if slot.which == number), None)


def _where(batch: Batch, kind: str, number: int) -> str:
    """`image 2 of sample 'x'`, by the place of the slot in the packed row."""
    slot = _slot(batch, kind, number)
    if slot is None:
        return f"a {kind}"
    # Slots know row positions, not samples; the sample is the one whose stretch of the row the slot begins in.
    end = 0
    for name, length in zip(batch.names, batch.lengths, strict=True):
        end += length
        if slot.start < end:
            return f"{kind} {number + 1} of the row, in sample {name!r}"
    return f"a {kind}"
