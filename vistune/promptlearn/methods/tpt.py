"""TPT: the prompt is tuned on each test image by itself (Shu et al. 2022, arXiv 2209.07511)."""

from __future__ import annotations

import torch
from torch import Tensor

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.losses import entropy, marginal_entropy
from vistune.promptlearn.method import Call, Hyperparameters, Method, initial_context, prompt
from vistune.promptlearn.towers.encoded import Encoded


class Tpt(Method):
    """One AdamW step on the entropy of the mean prediction over an image's most confident views; then the context is as before.

    The first of `views` views is the plain one; it is a candidate like the others, and answers after the step. Many images
    are tuned at once, each with a context of its own: a step of AdamW is elementwise, so their gradients do not mix. The image
    tower needs no gradient and sees every view once. Under a protocol without views (`Call.views`) the words answer as they
    are: that is the untouched zero-shot model. Views are random crops, mirrored half of the time; with `augmix`, as released
    for fine-grained data sets, those crops in AugMix.
    """

    recipe = Hyperparameters(epochs=0)

    def __init__(
        self,
        backbone: DualEncoder,
        *,
        words: str = "a photo of a",
        lr: float = 0.005,
        keep: float = 0.1,
        steps: int = 1,
        views: int = 64,
        augmix: bool = False,
    ) -> None:
        super().__init__(backbone)
        self.ctx = initial_context(backbone, words, len(backbone.tokenizer(words)))
        self.words, self.lr, self.keep, self.steps = words, lr, keep, steps
        self.test_views = views
        self.test_augment = "augmix" if augmix else "crop"

    def edits(self, call: Call) -> Edits:
        """The untuned context."""
        return Edits(contexts=(prompt(self.ctx, self.words, call.classes),))

    def predict(self, call: Call, text: Encoded | None = None) -> Tensor:
        """Tune for every image, then answer its plain view, the first one."""
        if call.views is None:
            return super().predict(call, text)
        with torch.no_grad():
            pooled = call.engine.image(call.views).pooled
            count = len(pooled) // self.test_views if call.images is None else len(call.images)
            views = pooled.view(count, len(pooled) // count, -1)
        context = self.tuned(call, views)
        with torch.no_grad():
            return call.backbone.logits(views[:, 0], self.class_features(call, context))

    def class_features(self, call: Call, context: Tensor) -> Tensor:
        """`[B, N, E]` for contexts `[B, M, d]`."""
        edits = Edits(contexts=(prompt(context, self.words, call.classes, per="row"),))
        return call.engine.text(call.classes, edits).features

    def tuned(self, call: Call, views: Tensor) -> Tensor:
        """A context `[B, M, d]` for every image from its views `[B, V, E]`."""
        kept = confident(call.engine, views, call.engine.text(call.classes, self.edits(call)).features.detach(), self.keep)
        context = self.ctx.detach().expand(len(views), -1, -1).clone().requires_grad_()
        optimizer = torch.optim.AdamW([context], lr=self.lr)
        for _ in range(self.steps):
            with torch.enable_grad():
                text = unit(self.class_features(call, context))
                logits = call.backbone.scale * torch.einsum("bve,bne->bvn", unit(kept), text)
                loss = marginal_entropy(logits).sum()
            context.grad = torch.autograd.grad(loss, context)[0]
            optimizer.step()
        return context.detach()


def confident(engine: Engine, views: Tensor, text: Tensor, share: float) -> Tensor:
    """The `share` of each image's views `[B, V, E]` whose prediction has the lowest entropy (at least one)."""
    logits = engine.backbone.logits(views.flatten(0, 1), text).view(*views.shape[:2], -1)
    count = max(1, int(views.shape[1] * share))
    chosen = entropy(logits).topk(count, dim=1, largest=False).indices
    return torch.take_along_dim(views, chosen[:, :, None], 1)
