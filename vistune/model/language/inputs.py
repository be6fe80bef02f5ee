"""`Inputs`: what a fusion gives and the language model reads."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vistune.prompt.writer import Branch


@dataclass(frozen=True, slots=True)
class Inputs:
    """A packed row of T tokens, samples one behind the other.

    `embeds [T, H]`; `positions [T]` restart with each of the samples, whose `lengths` sum to T. The rest is for the hooks of a
    fusion that changes more than the embeddings: `modality [T]` is True on visual tokens; `context [M, K, C]` are M things (a
    medium each, say) that tokens look at, and `sees [T, 2]` tells which: token t sees `context[first:end]` of its row.
    `answers [T]` is True on supervised tokens: an encoder-decoder writes them, and reads what stands before them. `branches`
    tells of each sample where stretches at its end go on from (`vistune.model.language.branches`); empty where none has any.
    """

    embeds: Tensor
    positions: Tensor
    lengths: tuple[int, ...]
    modality: Tensor | None = None
    context: Tensor | None = None
    sees: Tensor | None = None
    answers: Tensor | None = None
    branches: tuple[tuple[Branch, ...], ...] = ()
