"""Cross-entropy over a large vocabulary whose logits are never all there.

The logits of a chunk of tokens become its loss and at once its gradients, and are dropped: what waits for the backward pass is
as large as the hidden states and the head, not `[tokens, vocabulary]`, and nothing is computed twice. Liger Kernel does the
same in one fused kernel (arXiv 2410.10989, section 3.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

HELD = 2**25  # logits of a chunk: 128 MiB in fp32

Head: TypeAlias = Callable[[Tensor], Tensor]


def cross_entropy_sum(head: Head, weights: Sequence[Tensor], vocabulary: int, hidden: Tensor, targets: Tensor) -> Tensor:
    """Summed cross-entropy of `targets [N]` under the logits `head(hidden) [N, vocabulary]`, `hidden [N, H]`.

    `weights` are the parameters inside `head`; they and `hidden` get gradients. The backward pass can be taken once.
    """
    if not torch.is_grad_enabled() or not any(learner.requires_grad for learner in (hidden, *weights)):
        return -log_likelihoods(head, vocabulary, hidden, targets).sum()
    rows = max(1, HELD // vocabulary)
    loss: Tensor = _CrossEntropySum.apply(head, rows, targets, hidden, *weights)  # type: ignore[no-untyped-call]
    return loss


@torch.no_grad()
def log_likelihoods(head: Head, vocabulary: int, hidden: Tensor, targets: Tensor) -> Tensor:
    """The logarithm of each target's probability, `[N]` in fp32, without gradients."""
    rows = max(1, HELD // vocabulary)
    found = [hidden.new_zeros(0, dtype=torch.float32)]
    for some, wanted in zip(hidden.split(rows), targets.split(rows), strict=True):
        found.append(-F.cross_entropy(head(some).float(), wanted, reduction="none"))
    return torch.cat(found)


class _CrossEntropySum(torch.autograd.Function):
    """The forward pass leaves the gradients of the sum; the backward pass scales them."""

    @staticmethod
    def forward(ctx: Any, head: Head, rows: int, targets: Tensor, *learners: Tensor) -> Tensor:
        """`learners` are the hidden states and the weights."""
        hidden, *weights = learners
        total = hidden.new_zeros((), dtype=torch.float32)
        needed = ctx.needs_input_grad[3:]
        # Gradients are made here, chunk by chunk, because only now are the chunk's logits there: keeping them for a backward
        # pass is what this function avoids.
        gradients = [torch.zeros_like(tensor) if need else None for tensor, need in zip(learners, needed, strict=True)]
        trained = [weight for weight, need in zip(weights, needed[1:], strict=True) if need]
        sums = [gradient for gradient in gradients[1:] if gradient is not None]
        for first in range(0, len(targets), rows):
            # Detached: autograd must stop at the chunk, whose gradient is then handed on whole.
            chunk = hidden[first : first + rows].detach().requires_grad_(needed[0])
            with torch.enable_grad():
                # fp32 and a sum: a mean over chunks of different sizes would weigh tokens unequally.
                loss = F.cross_entropy(head(chunk).float(), targets[first : first + rows], reduction="sum")
            total += loss.detach()
            found = torch.autograd.grad(loss, [*([chunk] if needed[0] else []), *trained])
            if gradients[0] is not None:
                gradients[0][first : first + rows] = found[0]
            for gradient, more in zip(sums, found[len(found) - len(sums) :], strict=True):
                gradient += more
        ctx.gradients = gradients
        return total

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        """In place: the weights' gradient may be the largest tensor there is."""
        gradients, ctx.gradients = ctx.gradients, None
        if gradients is None:
            raise RuntimeError("the backward pass of this loss was taken before")
        return None, None, None, *(None if gradient is None else gradient.mul_(outputs[0]) for gradient in gradients)
