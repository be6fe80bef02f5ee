"""TextRefiner: a memory of patch features refines the class features of any method (Xie et al. 2025, arXiv 2412.08176)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.losses import l1_distance
from vistune.promptlearn.method import Call, Hyperparameters, Method, Output
from vistune.promptlearn.plugin import Plugin
from vistune.promptlearn.towers.encoded import Encoded

TOP = 5


class Textrefiner(Plugin):
    """T' = t + `ratio` x Linear([t; softmax(t M) M]) of the unit class features t, with a memory M of `slots` unit vectors.

    A small network (1x1 convolutions, that is, a Linear a token) reads the class token and the patches behind the last block,
    projected; its output is what the memory follows and what the local loss classifies against t: the class token, the `TOP`
    patches it attends to most, and the mean of all, not normalised. T' is not normalised before the logits either.

    The loss is `refined` + `local` / `balance` + `distill` x `keep`, the last one the distance of unit T' to t. Those two
    weights were set by command-line arguments whose values the release does not state for every data set; the defaults weigh
    local and global terms as its example does.
    """

    recipe = Hyperparameters(batch=32, epochs=10)
    needs_class_token = True
    needs_vision_blocks = True

    def __init__(
        self,
        backbone: DualEncoder,
        inner: Method,
        *,
        slots: int = 25,
        ratio: float = 0.2,
        momentum: float = 0.8,
        balance: float = 3.0,
        distill: float = 12.0,
    ) -> None:
        super().__init__(backbone, inner)
        width = backbone.embed_dim
        self.patch_net = nn.Sequential(nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width))
        self.refine = nn.Linear(2 * width, width, bias=False)
        self.memory: Tensor
        self.register_buffer("memory", unit(torch.rand(slots, width)))
        self.ratio, self.momentum, self.balance, self.distill = ratio, momentum, balance, distill

    def edits(self, call: Call) -> Edits:
        """The inner edits, the last block's tokens and attention read out, and the refined class features."""
        edits = super().edits(call)
        edits.read["vision"] = (*edits.read.get("vision", ()), "cls", "patch")
        edits.read_class_attention = True
        before, inner_logits = edits.features.get("text"), edits.logits
        edits.features["text"] = lambda text: self.refined(before(text) if before else text.pooled)

        def logits(image: Encoded, text: Encoded) -> Tensor:
            if inner_logits is not None:
                return inner_logits(image, text)
            return scores(call.backbone.scale * unit(image.features), text.features)

        edits.logits = logits
        return edits

    def read(self, text: Tensor) -> Tensor:
        """What the memory holds for class features `[.., E]`."""
        return (unit(text) @ self.memory.T).softmax(-1) @ self.memory

    def refined(self, text: Tensor) -> Tensor:
        """T' `[.., N, E]`, not normalised."""
        t = unit(text)
        refined: Tensor = t + self.ratio * self.refine(torch.cat([t, self.read(t)], -1))
        return refined

    def tokens(self, image: Encoded, call: Call) -> Tensor:
        """The network's output `[B, 1 + patches, E]` for the class token and the patches."""
        states = torch.cat([image.groups["cls"], image.groups["patch"]], 1)
        projected = call.backbone.vision.project(states)
        out: Tensor = self.patch_net(projected.flatten(0, 1))
        return out.view_as(projected)

    def local(self, tokens: Tensor, image: Encoded) -> Tensor:
        """The class token, the patches it attends to most, and the mean of all tokens `[B, TOP + 2, E]`."""
        looks = image.class_attention
        assert looks is not None
        looks = looks[:, 1 : tokens.shape[1]]
        chosen = looks.topk(min(TOP, looks.shape[1]), dim=1).indices + 1
        top = torch.take_along_dim(tokens, chosen[:, :, None], 1)
        return torch.cat([tokens[:, :1], top, tokens.mean(1, keepdim=True)], 1)

    def local_logits(self, local: Tensor, text: Tensor, call: Call) -> Tensor:
        """Scaled products `[B, TOP + 2, N]` of local features and unit class features."""
        return call.backbone.scale * local @ unit(text).mT

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """The inner terms (of T'), `local` and `keep`, weighted; in training the memory then takes a step."""
        tokens = self.tokens(out.image, call)
        local = self.local_logits(self.local(tokens, out.image), out.text.pooled, call)
        target = call.target.repeat_interleave(local.shape[1])
        terms = {
            **super().losses(out, call),
            "local": F.cross_entropy(local.flatten(0, 1), target) / self.balance,
            "keep": self.distill * l1_distance(out.text.features, out.text.pooled),
        }
        if self.training:
            self.remember(tokens.detach().flatten(0, 1))
        return terms

    def remember(self, tokens: Tensor) -> None:
        """Each slot follows the weighted sum of the unit tokens `[n, E]` nearest to it.

        A token's weight is the softmax over tokens of its score, divided by that slot's largest.
        """
        tokens = unit(tokens)
        score = tokens @ self.memory.T
        owner, weight = score.argmax(1), score.softmax(0)
        memory = self.memory.clone()  # the graph of this step still holds the old one
        for slot in torch.unique(owner).tolist():
            mine = owner == slot
            share = weight[mine, slot] / weight[:, slot].max()
            memory[slot] = self.momentum * memory[slot] + (1 - self.momentum) * (share[:, None] * tokens[mine]).sum(0)
        self.memory = unit(memory)


def scores(image: Tensor, text: Tensor) -> Tensor:
    """Products `[B, N]` of `image [B, E]` and `text [N, E]` (or one set an image, `[B, N, E]`)."""
    return image @ text.T if text.ndim == 2 else torch.einsum("be,bne->bn", image, text)
