"""TCP: class-aware prompt tokens from the frozen class feature (Yao et al. 2024, arXiv 2311.18231)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.edits import Context, Edits, Tokens
from vistune.promptlearn.losses import cosine_distance
from vistune.promptlearn.method import Call, Hyperparameters, Method, Output, block_in, normal


class QuickGELU(nn.Module):
    """x sigmoid(1.702 x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return x * torch.sigmoid(1.702 * x)


class Tcp(Method):
    """A context that is replaced, at the input of text block `block`, by tokens made from each class's frozen feature.

    The prompt reads `[ctx] NAME<suffix>` with the suffix of the classes' own template (`, a type of pet.`).
    """

    recipe = Hyperparameters(optimizer="adam")

    def __init__(
        self, backbone: DualEncoder, *, n_ctx: int = 4, block: int | None = None, reduction: int = 4, weight: float = 8.0
    ) -> None:
        super().__init__(backbone)
        hidden = backbone.embed_dim // reduction
        self.ctx = normal(n_ctx, backbone.text.width)
        self.meta_net = nn.Sequential(
            nn.Linear(backbone.embed_dim, hidden), QuickGELU(), nn.Linear(hidden, n_ctx * backbone.text.width)
        )
        self.block = block_in(backbone, 8, block)
        self.weight = weight

    def class_tokens(self, call: Call) -> Tensor:
        """`[N, M, d]`, from the unit frozen feature of each class."""
        tokens: Tensor = self.meta_net(unit(call.frozen_text()))
        return tokens.view(-1, *self.ctx.shape)

    def edits(self, call: Call) -> Edits:
        """The context, then one set of tokens a class."""
        edits = Edits(contexts=(Context(self.ctx, template="{}" + call.classes.template.rpartition("{}")[2]),))
        edits.put("text", self.block, Tokens(self.class_tokens(call), group="slot", per="class"))
        return edits

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """`cross_entropy` and the weighted `knowledge` term."""
        knowledge = cosine_distance(out.text.features, call.frozen_text())
        return {**super().losses(out, call), "knowledge": self.weight * knowledge}
