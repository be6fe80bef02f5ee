"""Memory for time: activations of a part's blocks are thrown away and computed again going backward (arXiv 1604.06174)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint

from vistune.errors import InputError, nearest
from vistune.model.part import stacks


@contextmanager
def recomputing(model: nn.Module, parts: Sequence[str], where: str) -> Iterator[None]:
    """Inside, each block of the named parts keeps only what it is given. Numbers stay what they were, dropout included.

    Raises `InputError` for a part that has no blocks.
    """
    blocks = [block for name in parts for block in _blocks(model, name, where)]
    forwards = [block.forward for block in blocks]
    for block, forward in zip(blocks, forwards, strict=True):
        # Non-reentrant: the older way needs an input with a gradient, which frozen embeddings do not give, and loses keyword
        # arguments.
        block.forward = partial(checkpoint, forward, use_reentrant=False)
    try:
        yield
    finally:
        for block, forward in zip(blocks, forwards, strict=True):
            block.forward = forward


def _blocks(model: nn.Module, name: str, where: str) -> nn.ModuleList:
    known = stacks(model)
    if name not in known:
        raise InputError(f"{where}: recompute names {name!r}, which is no part with blocks{nearest(name, list(known))}")
    return known[name].blocks
