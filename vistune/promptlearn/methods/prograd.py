"""ProGrad: only steps that do not contradict what the frozen model knows (Zhu et al. 2023, arXiv 2205.14865)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.losses import distillation
from vistune.promptlearn.method import Call, Hyperparameters, Output
from vistune.promptlearn.methods.coop import Coop


class Prograd(Coop):
    """CoOp whose cross-entropy gradient loses the part that opposes the gradient of the distillation term.

    `words` fill the context from the right, the slots before them start at zero. `strength` is the paper's lambda.
    """

    recipe = Hyperparameters(epochs=100)

    def __init__(
        self,
        backbone: DualEncoder,
        classes: Classes,
        *,
        n_ctx: int = 16,
        words: str | None = "a photo of a",
        strength: float = 1.0,
        temperature: float = 1.0,
    ) -> None:
        super().__init__(backbone, classes, n_ctx=n_ctx)
        if words is not None:
            embedded = backbone.words(words)[-n_ctx:]
            with torch.no_grad():
                self.ctx.zero_()
                self.ctx[n_ctx - len(embedded) :] = embedded
        self.strength = strength
        self.temperature = temperature

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """`cross_entropy` and `kl`, the distillation from the frozen prediction; they are not summed."""
        frozen = call.backbone.logits(call.frozen_image(), call.frozen_text())
        return {**super().losses(out, call), "kl": distillation(out.logits, frozen, self.temperature)}

    def backward(self, losses: Mapping[str, Tensor], learnt: Sequence[nn.Parameter]) -> None:
        """Both gradients from one graph, then the projection, tensor by tensor."""
        task_loss = torch.stack([value for name, value in losses.items() if name != "kl"]).sum()
        task = torch.autograd.grad(task_loss, learnt, retain_graph=True)
        knowledge = torch.autograd.grad(losses["kl"], learnt, allow_unused=True)
        for parameter, g, h in zip(learnt, task, knowledge, strict=True):
            parameter.grad = g if h is None else project(g, h, self.strength)


def project(g: Tensor, h: Tensor, strength: float) -> Tensor:
    """`g` without `strength` of its part along `h` when the two oppose each other, else `g` (equation 5)."""
    dot = (g * h).sum()
    return g - strength * dot / (h * h).sum() * h if dot < 0 else g
