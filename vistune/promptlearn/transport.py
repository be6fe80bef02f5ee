"""Entropic transport plans between uniform marginals (Cuturi 2013)."""

from __future__ import annotations

import torch
from torch import Tensor

CHECKED_EVERY = 10  # iterations between two looks at the marginal, in the plain solver


def transport(
    cost: Tensor, regularisation: float, mass: float = 1.0, iterations: int = 1000, tolerance: float = 1e-9
) -> Tensor:
    """The plan `[n, N]` for a cost `[n, N]`, by Sinkhorn in the log domain.

    Rows hold 1 / n each and columns `mass` / N; with `mass` below 1 the two do not agree, and the columns win.
    """
    cost = cost.double()
    n, classes = cost.shape
    kernel = -cost / regularisation
    column = cost.new_zeros(1, classes)
    log_row = -torch.log(torch.tensor(float(n), dtype=cost.dtype))
    log_column = torch.log(torch.tensor(mass / classes, dtype=cost.dtype))
    for _ in range(iterations):
        # In logarithms nothing under- or overflows, however small the regularisation.
        row = log_row - (kernel + column).logsumexp(1, keepdim=True)
        after = log_column - (kernel + row).logsumexp(0, keepdim=True)
        moved, column = (after - column).abs().max(), after
        if moved < tolerance:
            break
    return (kernel + row + column).exp()


def plain_transport(
    cost: Tensor, regularisation: float, mass: float = 1.0, iterations: int = 1000, tolerance: float = 1e-6
) -> Tensor:
    """The same by products of exp(-cost / regularisation), as the POT library iterates: columns first.

    When a factor vanishes or overflows it goes back one iteration and stops; what is left may be an empty plan.
    """
    cost = cost.double()
    n, classes = cost.shape
    kernel = torch.exp(-cost / regularisation)
    row, column = cost.new_full((n,), 1 / n), cost.new_full((classes,), 1 / classes)
    target = cost.new_full((classes,), mass / classes)
    for count in range(iterations):
        # Kept, since the iteration that breaks down has already written its infinities.
        before = row, column
        seen = kernel.T @ row
        column = target / seen
        row = 1 / (n * kernel @ column)
        if bool((seen == 0).any()) or not bool(torch.isfinite(row).all() and torch.isfinite(column).all()):
            row, column = before
            break
        if count % CHECKED_EVERY == 0 and float((column * (kernel.T @ row) - target).norm()) < tolerance:
            break
    return row[:, None] * kernel * column
