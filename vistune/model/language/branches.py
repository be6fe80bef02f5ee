"""Stretches that go on from the middle of a sample, unseen by the tokens after it (TextBind, arXiv 2309.08637, section 4.2).

Where an answer holds a picture, the model first writes a caption, a painter paints it, and the picture's tokens then stand
where the caption began. Both are taught in one row: the caption is appended, and goes on from the place of the picture.

    row          a b c I I d e | s x y      I: the picture between c and d; s x y: its caption
    positions    0 1 2 3 4 5 6 | 3 4 5
    sees         the row before it | a b c, and the caption up to itself
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vistune.prompt.writer import Branch


def positions(length: int, branches: Sequence[Branch]) -> list[int]:
    """Positions of a row of `length` tokens and its branches: each continues from its place."""
    return [*range(length), *(place for start, count in branches for place in range(start, start + count))]


def visible(length: int, branches: Sequence[Branch], earlier: bool = False) -> Tensor:
    """`[T, T]`, True where the token of a row sees that of a column, for `length` tokens and the branches behind them.

    A branch sees the row before its start, and itself up to each token. With `earlier` it sees the branches in front of it as
    well, as TextBind's training code has it, and as no token does when answering.
    """
    whole = length + sum(count for _, count in branches)
    seen = torch.ones(whole, whole, dtype=torch.bool).tril()
    begin = length
    for start, count in branches:
        # Hidden from a branch: the trunk behind its start and, unless `earlier`, all branches in front of it.
        seen[begin : begin + count, start : length if earlier else begin] = False
        begin += count
    return seen
