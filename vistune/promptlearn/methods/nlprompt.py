"""NLPrompt: optimal transport finds wrong labels, and they get a robust loss (Pan et al. 2025, arXiv 2412.01256)."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.losses import generalised_cross_entropy
from vistune.promptlearn.method import Call, Method, Output, full_batches
from vistune.promptlearn.plugin import Plugin
from vistune.promptlearn.transport import plain_transport, transport


class Nlprompt(Plugin):
    """Before every epoch a transport plan of all training images to all classes gives each image a class of its own.

    Where it is the label, the image counts as clean and keeps cross-entropy; elsewhere the loss is generalised cross-entropy
    at `q`, the mean absolute error at 1. With `passes` 2, as released, an epoch goes through the clean images and then
    through the others; with 1 both kinds share a batch, each term divided by its size. If no image is clean, all keep
    cross-entropy. With `ramp_epochs` only a share of the images may be clean at first: `begin` rising to 1, `linear` or
    `exp`, those with the largest entries of the plan.

    `released` takes the cost as the release does, -log softmax(softmax(logits)), else it is -log softmax(logits). `solver`
    "log" solves the plan in the log domain; "plain" iterates as the library of the release does, and at the released
    regularisation underflows to an empty plan from four classes on, whereupon every image is given class 0.
    """

    def __init__(
        self,
        backbone: DualEncoder,
        inner: Method,
        *,
        regularisation: float = 0.001,
        released: bool = True,
        solver: Literal["log", "plain"] = "log",
        passes: int = 2,
        q: float = 1.0,
        ramp_epochs: int = 0,
        begin: float = 0.3,
        ramp: Literal["linear", "exp"] = "linear",
    ) -> None:
        super().__init__(backbone, inner)
        self.regularisation, self.released, self.solver = regularisation, released, solver
        self.passes, self.q = passes, q
        self.ramp_epochs, self.begin, self.ramp = ramp_epochs, begin, ramp
        self._clean: Tensor | None = None

    def budget(self, epoch: int) -> float:
        """The share of images that may be clean in an epoch."""
        if epoch >= self.ramp_epochs:
            return 1.0
        done = epoch / self.ramp_epochs
        return self.begin + (done if self.ramp == "linear" else 1 - math.exp(-4 * done)) * (1 - self.begin)

    def start_epoch(self, epoch: int, epochs: int, shots: Shots) -> None:
        """Split the training set."""
        super().start_epoch(epoch, epochs, shots)
        mode = self.training
        self.eval()
        with torch.no_grad():
            call = Call(shots.engine, shots.classes, shots.images())
            text = shots.engine.text(shots.classes, self.edits(call))
            logits = self.predict(call, None if text.features.ndim == 3 else text)
        self.train(mode)
        self._clean = self.clean(logits, shots.labels, self.budget(epoch))

    def clean(self, logits: Tensor, labels: Tensor, budget: float = 1.0) -> Tensor:
        """Which images `[n]` keep cross-entropy, from their logits `[n, N]`."""
        cost = -(logits.softmax(-1) if self.released else logits).log_softmax(-1)
        solve = transport if self.solver == "log" else plain_transport
        plan = solve(cost, self.regularisation, budget)
        # the release takes the share from the sum of n times 1 / n, which often falls short of 1: one image then stays out
        share = min(float((torch.ones(len(plan), dtype=torch.float64) / len(plan)).sum()), budget)
        chosen = torch.zeros(len(plan), dtype=torch.bool, device=plan.device)
        chosen[plan.max(1).values.topk(int(len(plan) * share)).indices] = True
        found = chosen & (plan.argmax(1) == labels)
        return found if bool(found.any()) else torch.ones_like(found)

    def batches(self, count: int, size: int) -> list[Tensor]:
        """In two passes: full batches of clean images, then of the others."""
        if self.passes == 1 or self._clean is None:
            return super().batches(count, size)
        clean = self._clean.cpu()
        lots = [lot.nonzero()[:, 0] for lot in (clean, ~clean)]
        return [lot[chosen] for lot in lots for chosen in full_batches(len(lot), size)]

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """The inner terms with `cross_entropy` over clean images and `robust` over the others, both divided by B."""
        inner = super().losses(out, call)
        if self._clean is None:
            return inner
        if call.batch.ids is None:
            raise ValueError("NLPrompt knows images by their row in the training set: give it a bank")
        clean = self._clean[call.batch.ids.to(self._clean.device) % len(self._clean)]
        count = len(call.target)
        terms = {
            "cross_entropy": F.cross_entropy(out.logits[clean], call.target[clean], reduction="sum") / count,
            "robust": generalised_cross_entropy(out.logits[~clean], call.target[~clean], self.q) * (~clean).sum() / count
            if bool((~clean).any())
            else out.logits.sum() * 0,
        }
        return {**inner, **terms}
