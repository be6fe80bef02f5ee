"""NLPrompt: optimal transport finds wrong labels, and they get a robust loss (Pan et al. 2025, arXiv 2412.01256)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.losses import mean_absolute_error
from vistune.promptlearn.method import Call, Method, Output
from vistune.promptlearn.plugin import Plugin
from vistune.promptlearn.shots import Shots


class Nlprompt(Plugin):
    """Before every epoch a transport plan of all training images to all classes gives each image a class of its own.

    Where it is the label, the image counts as clean and keeps cross-entropy; elsewhere the loss is the mean absolute error.
    `released` takes the cost as the release does, -log softmax(softmax(logits)); the plan is solved in the log domain, since
    at the released regularisation the plain iteration underflows to nothing from four classes on.
    """

    def __init__(self, backbone: DualEncoder, inner: Method, *, regularisation: float = 0.01, released: bool = False) -> None:
        super().__init__(backbone, inner)
        self.regularisation, self.released = regularisation, released
        self._clean: Tensor | None = None

    def start_epoch(self, epoch: int, epochs: int, shots: Shots) -> None:
        """Split the training set."""
        super().start_epoch(epoch, epochs, shots)
        mode = self.training
        self.eval()
        with torch.no_grad():
            text = shots.engine.text(shots.classes, self.edits(Call(shots.engine, shots.classes, shots.images())))
            logits = self.predict(Call(shots.engine, shots.classes, shots.images()), None if text.features.ndim == 3 else text)
        self.train(mode)
        cost = -(logits.softmax(-1) if self.released else logits).log_softmax(-1)
        self._clean = transport(cost, self.regularisation).argmax(1) == shots.labels

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """The inner terms with `cross_entropy` over clean images and `absolute_error` over the others, both / B."""
        inner = super().losses(out, call)
        if self._clean is None:
            return inner
        if call.batch.ids is None:
            raise ValueError("NLPrompt knows images by their row in the training set: give it a bank")
        clean = self._clean[call.batch.ids % len(self._clean)]
        count = len(call.target)
        terms = {
            "cross_entropy": F.cross_entropy(out.logits[clean], call.target[clean], reduction="sum") / count,
            "absolute_error": mean_absolute_error(out.logits[~clean], call.target[~clean]) * (~clean).sum() / count
            if bool((~clean).any())
            else out.logits.sum() * 0,
        }
        return {**inner, **terms}


def transport(cost: Tensor, regularisation: float, iterations: int = 1000, tolerance: float = 1e-9) -> Tensor:
    """The entropic transport plan `[n, N]` between uniform marginals (Cuturi 2013), by Sinkhorn in the log domain."""
    cost = cost.double()
    n, classes = cost.shape
    kernel = -cost / regularisation
    row, column = torch.zeros(n, 1, dtype=cost.dtype), torch.zeros(1, classes, dtype=cost.dtype)
    log_row, log_column = -torch.log(torch.tensor(float(n))), -torch.log(torch.tensor(float(classes)))
    for _ in range(iterations):
        row = log_row - (kernel + column).logsumexp(1, keepdim=True)
        after = log_column - (kernel + row).logsumexp(0, keepdim=True)
        moved, column = (after - column).abs().max(), after
        if moved < tolerance:
            break
    return (kernel + row + column).exp()
