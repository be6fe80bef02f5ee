"""Two narrow linear paths, mixed by what the sample is: LaVIN's mixture-of-modality adapter (arXiv 2305.15023, section 3.2).

    y = x + s (w_0 B_0 A x + w_1 B_1 A x)        w = softmax(router(x_0) / t)        x_0: the token that says what the sample is

There is no non-linearity. A narrows to `hidden` channels; B_0 and B_1 widen them in groups that do not mix. Both begin at zero,
so that the adapted network begins as it was.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.errors import InputError


class RoutedAdapter(nn.Module):
    """An adapter of states `width` wide; `groups` must divide `hidden` and `width`."""

    def __init__(
        self,
        width: int,
        hidden: int = 8,
        groups: int = 2,
        scale: float = 1.0,
        temperature: float = 10.0,
        dropout: float = 0.1,
        experts: int = 2,
    ) -> None:
        super().__init__()
        if hidden % groups or width % groups:
            raise InputError(f"a routed adapter: {groups} groups do not divide the hidden width {hidden} and the width {width}")
        self.scale, self.temperature = scale, temperature
        self.narrow = nn.Linear(width, hidden)
        self.experts = nn.ModuleList(GroupedLinear(hidden, width, groups) for _ in range(experts))
        self.router = nn.Linear(width, experts)
        self.dropout = nn.Dropout(dropout)

    def weigh(self, x: Tensor) -> Tensor:
        """`[..., width]` states of the tokens that route -> `[..., experts]` weights that sum to one."""
        # A high temperature keeps both experts in use while the router still knows nothing (LaVIN uses 10).
        weights: Tensor = (self.router(x) / self.temperature).softmax(dim=-1)
        return weights

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """`x [..., width]`, `weights [..., experts]` for each of its tokens or to be broadcast to them -> as `x`."""
        narrow = self.dropout(self.narrow(x))
        widened = torch.stack([expert(narrow) for expert in self.experts], dim=-1)
        adapted: Tensor = x + self.scale * (widened * weights[..., None, :]).sum(dim=-1)
        return adapted


class GroupedLinear(nn.Module):
    """A linear layer whose groups of inputs reach groups of outputs of their own; it begins at zero."""

    def __init__(self, width: int, out_width: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.zeros(out_width, width // groups))
        self.bias = nn.Parameter(torch.zeros(out_width))

    def forward(self, x: Tensor) -> Tensor:
        """`[..., width]` -> `[..., out_width]`."""
        # Stored as one matrix `[out, in / groups]`, the layout of a grouped 1 x 1 convolution, which the released weights
        # have.
        weight = self.weight.unflatten(0, (self.groups, -1))
        return torch.einsum("...gi,goi->...go", x.unflatten(-1, (self.groups, -1)), weight).flatten(-2) + self.bias
