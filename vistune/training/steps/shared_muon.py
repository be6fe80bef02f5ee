"""Muon on many processes: each makes the orthogonal updates of its share of the matrices, and all get all of them.

    process 0   momentum of A B C D    orthogonal update of A, D    A D -> all      A B C D
    process 1   momentum of A B C D    orthogonal update of B, C    B C -> all      A B C D

An update takes some fifteen products of matrices, its momentum one addition, so only updates are shared out; momenta stay whole
on each process, and a state that is saved is the one that one process would have. The numbers are those of one process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.optim import Muon

from vistune.training.distributed import Ranks, buckets


class SharedMuon(Muon):
    """`Muon` over whole matrices that all processes of `ranks` hold alike, with gradients that are summed already."""

    def __init__(self, params: Any, ranks: Ranks, **settings: Any) -> None:
        super().__init__(params, **settings)
        self._ranks = ranks
        matrices = [matrix for group in self.param_groups for matrix in group["params"]]
        self._owner = dict(zip(map(id, matrices), owners(matrices, ranks.size), strict=True))

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step."""
        assert closure is None, "the loss has been computed"
        moved = [matrix for group in self.param_groups for matrix in group["params"] if matrix.grad is not None]
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is not None and self._owner[id(matrix)] != self._ranks.rank:
                    state = self.state[matrix]
                    if "momentum_buffer" not in state:
                        state["momentum_buffer"] = torch.zeros_like(matrix.grad)
                    # Every rank keeps every momentum, as `torch.optim.Muon` forms it: cheap, and a state can then be saved by
                    # the first rank alone.
                    state["momentum_buffer"].lerp_(matrix.grad, 1 - group["momentum"])
        with _without_gradients(matrix for matrix in moved if self._owner[id(matrix)] != self._ranks.rank):
            super().step()  # type: ignore[no-untyped-call]
        for owner in range(self._ranks.size):
            for bucket in buckets([matrix for matrix in moved if self._owner[id(matrix)] == owner]):
                flat = torch.cat([matrix.flatten() for matrix in bucket])
                # Only the orthogonal update is expensive (Newton and Schulz); results travel once, many matrices in one
                # message.
                dist.broadcast(flat, owner)
                for matrix, values in zip(bucket, flat.split([matrix.numel() for matrix in bucket]), strict=True):
                    matrix.copy_(values.view_as(matrix))


def owners(matrices: Sequence[nn.Parameter], processes: int) -> list[int]:
    """Who updates each matrix: the dearest first, each by the process that has least to do yet.

    A step of Newton and Schulz on `[m, n]`, m <= n, takes two products of m x m with m x n, and one of m x m with itself.
    """
    costs = [min(matrix.shape) ** 2 * (2 * max(matrix.shape) + min(matrix.shape)) for matrix in matrices]
    taken, given = [0] * processes, [0] * len(matrices)
    for place in sorted(range(len(matrices)), key=lambda place: -costs[place]):
        given[place] = min(range(processes), key=lambda process: taken[process])
        taken[given[place]] += costs[place]
    return given


@contextmanager
def _without_gradients(matrices: Iterator[nn.Parameter]) -> Iterator[None]:
    """Muon leaves alone what has no gradient."""
    kept = [(matrix, matrix.grad) for matrix in matrices]
    for matrix, _ in kept:
        matrix.grad = None
    try:
        yield
    finally:
        for matrix, gradient in kept:
            matrix.grad = gradient
