"""ProDA: a distribution over prompts, one Gaussian over class weights (Lu et al. 2022, arXiv 2205.03340)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.edits import Context, Edits
from vistune.promptlearn.losses import off_diagonal_cosine
from vistune.promptlearn.method import Call, Hyperparameters, Method, Output, normal
from vistune.promptlearn.towers.encoded import Encoded


class Proda(Method):
    """`n_prompts` contexts, a quarter with the name in front, a quarter in the middle, half at the end.

    A training step uses `per_step` of them (each once an epoch of prompts) and the upper bound of the expected loss
    (equation 9): s f mu + s^2 / 2 sigma. At test time class weights are the mean over all prompts; as in training that mean
    of unit features is not made unit again. The diversity term keeps the features of the class-free prompts apart. The
    authors' repository holds no code: recorded from a third-party copy, whose training step leaves the diversity term out.
    """

    recipe = Hyperparameters(lr=0.001, batch=20, epochs=100)
    needs_causal_text = True

    def __init__(
        self, backbone: DualEncoder, *, n_prompts: int = 32, n_ctx: int = 16, per_step: int = 4, weight: float = 0.1
    ) -> None:
        super().__init__(backbone)
        self.ctx = normal(n_prompts, n_ctx, backbone.text.width)
        self.per_step, self.weight = per_step, weight
        self._queue: list[int] = []

    def contexts(self, which: Tensor, ending: str) -> tuple[Context, ...]:
        """The chosen prompts, by where the name stands."""
        quarter = len(self.ctx) // 4
        front, middle, end = (
            which[which < quarter],
            which[(which >= quarter) & (which < 2 * quarter)],
            which[which >= 2 * quarter],
        )
        parts = (("front", front), ("middle", middle), ("end", end))
        return tuple(Context(self.ctx[index], "row", where, "{}" + ending) for where, index in parts if len(index))  # type: ignore[arg-type]

    def edits(self, call: Call) -> Edits:
        """All prompts at test time, the next few of a random order in training."""
        if not self.training:
            which = torch.arange(len(self.ctx))
            return Edits(
                contexts=self.contexts(which, call.classes.ending),
                features={"text": lambda text: unit(text.pooled).mean(0)},
                logits=lambda image, text: call.backbone.scale * unit(image.features) @ text.features.T,
            )
        if len(self._queue) < self.per_step:
            self._queue = torch.randperm(len(self.ctx)).tolist()
        which, self._queue = torch.tensor(self._queue[: self.per_step]), self._queue[self.per_step :]
        return Edits(
            contexts=self.contexts(which, call.classes.ending), logits=lambda image, text: self.upper_bound(image, text, call)
        )

    def upper_bound(self, image: Encoded, text: Encoded, call: Call) -> Tensor:
        """Logits `[B, N]` of the expected loss's bound; without labels, the means alone."""
        f, t, scale = unit(image.features), unit(text.features), call.backbone.scale
        mean = scale * f @ t.mean(0).T
        return mean if call.labels is None else mean + 0.5 * scale**2 * variance(f, t, call.labels)

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """`cross_entropy` of the bound and the weighted `diversity`."""
        nameless = Edits(contexts=(Context(self.ctx, per="row", template="{}" + call.classes.ending),))
        features = call.engine.text(replace(call.classes, names=("",)), nameless).features[:, 0]
        return {**super().losses(out, call), "diversity": self.weight * off_diagonal_cosine(features)}


def variance(f: Tensor, t: Tensor, labels: Tensor) -> Tensor:
    """Variance `[B, N]` of the logit difference to the label's class under the prompts' Gaussian, diagonal in E.

    `f [B, E]` unit images, `t [P, N, E]` unit class features of P prompts: f^2 (S_yy + S_jj - 2 S_yj), with the
    covariances over P divided by P + 1. Zero at the label itself.
    """
    centred = t - t.mean(0)
    difference = centred[:, labels][:, :, None] - centred[:, None]  # [P, B, N, E]
    return torch.einsum("be,pbne->bn", f**2, difference**2) / (len(t) + 1)
