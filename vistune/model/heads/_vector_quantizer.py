"""Vectors -> the nearest of learned codes, with a gradient that passes straight through (VQ-VAE, arXiv 1711.00937)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Quantised:
    """`x [..., D]`, the codes in place of the vectors; their `ids [...]`; and the `loss` that draws both together."""

    x: Tensor
    ids: Tensor
    loss: Tensor


class VectorQuantizer(nn.Module):
    """`codes` vectors of `width`. The loss has a term that moves codes and one that moves vectors, `beta` weighs one of them.

    `beta_on="codes"` is the loss of SEED's released tokenizer, `beta_on="vectors"` that of the paper. Their values are equal,
    their gradients are not.
    """

    def __init__(self, codes: int, width: int, beta: float = 0.25, beta_on: Literal["codes", "vectors"] = "codes") -> None:
        super().__init__()
        self.codes = nn.Embedding(codes, width)
        nn.init.uniform_(self.codes.weight, -1 / codes, 1 / codes)
        self.on_codes, self.on_vectors = (beta, 1.0) if beta_on == "codes" else (1.0, beta)

    def forward(self, z: Tensor) -> Quantised:
        """`z [..., D]` -> the nearest codes by Euclidean distance, the first of several as near."""
        flat = z.flatten(0, -2)
        table = self.codes.weight
        # The expanded square needs one matrix product, where differences would be a tensor of vectors x codes x width.
        squares = flat.square().sum(dim=1, keepdim=True) + table.square().sum(dim=1) - 2 * flat @ table.T
        ids = squares.argmin(dim=1).view(z.shape[:-1])
        code = self.codes(ids)
        loss = self.on_vectors * (code.detach() - z).square().mean() + self.on_codes * (code - z.detach()).square().mean()
        # Straight through: forward the code, backward the identity, since choosing a code has no gradient.
        return Quantised(z + (code - z).detach(), ids, torch.as_tensor(loss))
