"""DAM-VP: a pixel border for each cluster of images (Huang et al. 2023, arXiv 2303.08138)."""

from __future__ import annotations

import torch
from sklearn.cluster import AgglomerativeClustering
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.method import Call, Method, Recipe
from vistune.promptlearn.shots import Shots

MOST = 1000  # images that are clustered


class Damvp(Method):
    """`clusters` borders of `border` pixels, added to the image; an image takes that of the nearest prototype.

    Prototypes are the means of agglomerative clusters of the training images' zero-shot logits. The paper's meta-learnt
    start on other data sets is left out: borders start at zero, where they change nothing.
    """

    recipe = Recipe(lr=10.0, batch=32, epochs=50, weight_decay=0.0)

    def __init__(self, backbone: DualEncoder, classes: Classes, *, border: int = 30, clusters: int = 1) -> None:
        super().__init__(backbone)
        size = backbone.image_size
        if 2 * border >= size:
            raise InputError(f"a border of {border} pixels leaves nothing of an image of {size}: give a smaller one")
        inside = range(border, size - border)
        edge = [y * size + x for y in range(size) for x in range(size) if y not in inside or x not in inside]
        self.place: Tensor
        self.register_buffer("place", torch.tensor(edge), persistent=False)
        self.size = size
        self.border = nn.Parameter(torch.zeros(clusters, 3, len(self.place)))
        self.prototypes: Tensor
        self.register_buffer("prototypes", torch.zeros(clusters, len(classes)))
        self.taught = classes

    def prepare(self, shots: Shots) -> None:
        """Cluster the training images."""
        logits = self.zero_shot(Call(shots.engine, shots.classes, shots.images()))[:MOST]
        count = len(self.border)
        if count == 1:
            self.prototypes.copy_(logits.mean(0, keepdim=True))
            return
        owner = torch.from_numpy(AgglomerativeClustering(n_clusters=count).fit_predict(logits.numpy()))
        self.prototypes.copy_(torch.stack([logits[owner == cluster].mean(0) for cluster in range(count)]))

    def zero_shot(self, call: Call) -> Tensor:
        """Zero-shot logits `[B, N]` over the taught classes, whatever classes are asked for."""
        return call.backbone.logits(call.frozen_image(), call.engine.frozen_text(self.taught.texts()))

    def edits(self, call: Call) -> Edits:
        """The border of each image's cluster."""
        owner = torch.zeros(len(call.batch), dtype=torch.long)
        if len(self.border) > 1:
            owner = torch.cdist(self.zero_shot(call), self.prototypes).argmin(1)

        def bordered(pixels: Tensor) -> Tensor:
            frame = pixels.new_zeros(len(pixels), 3, self.size * self.size)
            frame = frame.index_copy(2, self.place, self.border[owner])
            return pixels + frame.view_as(pixels)

        return Edits(pixels=bordered)
