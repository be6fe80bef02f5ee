"""TextRefiner: a memory of patch features refines the class features of any method (Xie et al. 2025, arXiv 2412.08176)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.losses import l1_distance
from vistune.promptlearn.method import Call, Method, Output, Recipe
from vistune.promptlearn.plugin import Plugin

TOP = 5


class Textrefiner(Plugin):
    """T' = T + `ratio` x Linear([T; softmax(T M) M]) with a memory M of `slots` vectors.

    M follows, as a moving average, the last block's patch features through a small network (1x1 convolutions, that is, a
    Linear a patch). Besides T' on images, local tokens are classified: the class token, the `TOP` patches it attends to
    most, and their mean. `keep` holds T' near T.
    """

    recipe = Recipe(batch=32, epochs=10)
    needs_class_token = True

    def __init__(
        self,
        backbone: DualEncoder,
        inner: Method,
        *,
        slots: int = 25,
        ratio: float = 0.2,
        momentum: float = 0.8,
        local: float = 1.0,
        keep: float = 1.0,
    ) -> None:
        super().__init__(backbone, inner)
        width = backbone.embed_dim
        self.patch_net = nn.Sequential(
            nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width)
        )
        self.refine = nn.Linear(2 * width, width)
        self.memory: Tensor
        self.register_buffer("memory", unit(torch.randn(slots, width)))
        self.ratio, self.momentum, self.local, self.keep = ratio, momentum, local, keep

    def edits(self, call: Call) -> Edits:
        """The inner edits, patches and attention read out, and the refined class features."""
        edits = super().edits(call)
        edits.read["vision"] = (*edits.read.get("vision", ()), "patch")
        edits.read_class_attention = True
        before = edits.features.get("text")
        edits.features["text"] = lambda text: self.refined(before(text) if before else text.pooled)
        return edits

    def refined(self, text: Tensor) -> Tensor:
        """T' `[.., N, E]`, unit."""
        t = unit(text)
        looked_up = (t @ self.memory.T).softmax(-1) @ self.memory
        refined: Tensor = t + self.ratio * self.refine(torch.cat([t, looked_up], -1))
        return unit(refined)

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """The inner terms, `local` and `keep`; the memory takes a step."""
        patches = call.backbone.vision.project(out.image.groups["patch"])
        looks = out.image.class_attention
        assert looks is not None
        first = looks.shape[1] - patches.shape[1]
        chosen = looks[:, first:].topk(min(TOP, patches.shape[1]), dim=1).indices
        top = torch.take_along_dim(patches, chosen[:, :, None], 1)
        tokens = torch.cat([out.image.pooled[:, None], top, top.mean(1, keepdim=True)], 1)
        encoded = self.patch_net(patches.flatten(0, 1))
        if self.training:
            self.remember(unit(encoded.detach()))
        logits = call.backbone.logits(tokens.flatten(0, 1), out.text.features)
        target = call.target.repeat_interleave(tokens.shape[1])
        recalled = unit(encoded) @ self.memory.T
        return {
            **super().losses(out, call),
            "local": self.local * F.cross_entropy(logits, target) / tokens.shape[1],
            "keep": self.keep * l1_distance(out.text.features, out.text.pooled),
            "memory": (1 - recalled.max(1).values).mean(),
        }

    def remember(self, patches: Tensor) -> None:
        """Each slot moves to the mean of the patches nearest to it."""
        memory = self.memory.clone()  # the graph of this step still holds the old one
        owner = (patches @ memory.T).argmax(1)
        for slot in torch.unique(owner).tolist():
            mean = patches[owner == slot].mean(0)
            memory[slot] = unit(self.momentum * memory[slot] + (1 - self.momentum) * mean)
        self.memory = memory
