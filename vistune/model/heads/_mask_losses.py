"""Losses of masks, one number a mask: cross-entropy over pixels, and DICE."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def bce_each(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy, averaged over the pixels of each mask: `[N, H, W]` twice -> `[N]`."""
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none").flatten(1).mean(dim=1)


def dice_each(logits: Tensor, targets: Tensor, scale: float = 1000.0, eps: float = 1e-6) -> Tensor:
    """`1 - (2 sum(p t) / s + eps) / (sum(p) / s + sum(t) / s + eps)` of each mask: `[N, H, W]` twice -> `[N]`.

    LISA divides sums by `scale` before it adds `eps`: against usual DICE, `eps` weighs a thousand times as much.
    """
    probabilities, targets = logits.sigmoid().flatten(1), targets.flatten(1)
    common = 2 * (probabilities / scale * targets).sum(dim=1)
    whole = (probabilities / scale).sum(dim=1) + (targets / scale).sum(dim=1)
    return 1 - (common + eps) / (whole + eps)
