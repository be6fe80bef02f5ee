"""TAC: pre-context tokens from clusters of class descriptions (Hao et al. 2025, CVPR, "Task-Aware Clustering")."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.promptlearn.average import EpochAverage
from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.edits import Attention, Context, Edits, Tokens
from vistune.promptlearn.losses import l1_distance
from vistune.promptlearn.method import Call, Disclosure, Output, Recipe, depth_in
from vistune.promptlearn.methods.ivlp import Ivlp
from vistune.promptlearn.shots import Shots

PRE = "pre"


class Tac(Ivlp):
    """IVLP + `n_clusters` tokens in every block of both towers, from one Linear a tower on the cluster centres.

    Centres are those of the unit frozen features of descriptions of the taught classes (spherical k-means); patches may not
    attend to the visual ones. The text reads `[SOS][pre][ctx] a photo of a NAME.` Weights are averaged over epochs.
    """

    recipe = Recipe(lr=0.0025, batch=8, epochs=20)
    disclosure = Disclosure(language_model_text=True)
    needs_causal_text = True
    needs_class_token = True

    def __init__(
        self,
        backbone: DualEncoder,
        *,
        n_clusters: int = 5,
        n_ctx: int = 5,
        depth: int | None = None,
        text_weight: float = 20.0,
        image_weight: float = 25.0,
        dropout: float = 0.3,
    ) -> None:
        depth = depth_in(backbone, 12, depth)
        super().__init__(backbone, n_text=n_ctx, n_vision=n_ctx, depth_text=depth, depth_vision=depth, words=None)
        self.to_text = nn.Linear(backbone.embed_dim, backbone.text.width)
        self.to_vision = nn.Linear(backbone.embed_dim, backbone.vision.width)
        self.centres: Tensor
        self.register_buffer("centres", unit(torch.randn(n_clusters, backbone.embed_dim)))
        self.text_weight, self.image_weight = text_weight, image_weight
        self.dropout = nn.Dropout(dropout)
        self.depth = depth
        self._average = EpochAverage()

    def prepare(self, shots: Shots) -> None:
        """Cluster the descriptions of the taught classes."""
        sentences = [text for own in shots.classes.sentences(8, "TAC") for text in dict.fromkeys(own)]
        if len(sentences) < len(self.centres):
            raise InputError(
                f"TAC makes {len(self.centres)} clusters of descriptions and the taught classes have only {len(sentences)}: "
                "give more, or a smaller n_clusters"
            )
        self.centres.copy_(spherical_k_means(unit(shots.engine.frozen_text(sentences)), len(self.centres)))

    def edits(self, call: Call) -> Edits:
        """IVLP's, with the cluster tokens in front of the context and behind the class token."""
        edits = super().edits(call)
        edits.contexts = (Context(self.ctx, template="a photo of a {}" + call.classes.ending),)
        for block in range(self.depth):
            text, vision = (
                Tokens(self.to_text(self.centres), PRE, "after_first"),
                Tokens(self.to_vision(self.centres), PRE, "after_first"),
            )
            edits.tokens.setdefault(("text", block), []).insert(0, text)
            edits.tokens.setdefault(("vision", block), []).insert(0, vision)
            edits.attention["vision", block] = Attention(closed=(("patch", PRE),))
        edits.features["vision"] = lambda image: self.dropout(image.pooled)
        return edits

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """`cross_entropy`, `text_l1`, `image_l1`; the release drops out the frozen image feature too."""
        image: Tensor = self.dropout(call.frozen_image())
        return {
            **super().losses(out, call),
            "text_l1": self.text_weight * l1_distance(out.text.features, call.frozen_text()),
            "image_l1": self.image_weight * l1_distance(out.image.features, image),
        }

    def end_epoch(self, epoch: int, epochs: int) -> None:
        """The plain mean over epochs replaces the weights at the end."""
        self._average.add(self, 1 / epochs)
        if epoch == epochs - 1:
            self._average.load_into(self)


def spherical_k_means(points: Tensor, count: int, iterations: int = 50) -> Tensor:
    """`count` unit centres of unit points `[n, E]` under cosine similarity, seeded by the farthest points in turn."""
    centres = points[:1]
    while len(centres) < count:
        nearest = (points @ centres.T).max(1).values
        centres = torch.cat([centres, points[nearest.argmin()][None]])
    for _ in range(iterations):
        owner = (points @ centres.T).argmax(1)
        sums = torch.zeros_like(centres).index_add_(0, owner, points)
        filled = sums.norm(dim=1, keepdim=True) > 0
        centres = torch.where(filled, unit(sums), centres)
    return centres
