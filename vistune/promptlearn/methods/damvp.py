"""DAM-VP: a pixel border for each cluster of images (Huang et al. 2023, arXiv 2303.08138)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from sklearn.cluster import AgglomerativeClustering
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.method import Call, Hyperparameters, Method

MOST = 1000  # images that are clustered
TEMPLATE = "a photo of a {}"
SIDES = ("up", "down", "left", "right")


class Damvp(Method):
    """Borders of `border` pixels, added to the normalised image; an image takes that of the nearest prototype.

        +--------- up ---------+
        | left |  image | right|
        +-------- down --------+

    Prototypes are the mean zero-shot logits of clusters of training images: average linkage, merged up to the Euclidean
    distance `threshold`, or into `clusters` of them. The release has a threshold for each data set (6 for ten classes, 16 for
    a hundred, 25 or 40 for fine-grained ones); one that cuts off no cluster leaves one border. Names stand in "a photo of
    a NAME" without a full stop, whatever the data set.

    `start` is where borders begin: "normal" noise as an untaught border of the release, "zero" (nothing changes), or a
    file of a border that was meta-learnt on other data sets (`vistune promptlearn meta-start`), as in the paper.
    """

    recipe = Hyperparameters(lr=10.0, batch=128, epochs=50, weight_decay=0.0, schedule="step", floor=0.0, warm_steps=0.2)

    def __init__(
        self,
        backbone: DualEncoder,
        classes: Classes,
        *,
        border: int = 30,
        threshold: float = 16.0,
        clusters: int | None = None,
        template: str = TEMPLATE,
        start: str = "normal",
    ) -> None:
        super().__init__(backbone)
        size = backbone.image_size
        if 2 * border >= size:
            raise InputError(f"a border of {border} pixels leaves nothing of an image of {size}: give a smaller one")
        self.size, self.border = size, border
        self.threshold, self.clusters = threshold, clusters
        self.taught, self.template = classes, template
        inner = size - 2 * border
        shapes = {"up": (border, size), "down": (border, size), "left": (inner, border), "right": (inner, border)}
        first = {side: self.first(start, side, shape) for side, shape in shapes.items()}
        for side, values in first.items():
            self.register_parameter(side, nn.Parameter(values.expand(clusters or 1, -1, -1, -1).clone()))
        self.prototypes: Tensor
        self.register_buffer("prototypes", torch.zeros(clusters or 1, len(classes)))

    @staticmethod
    def first(start: str, side: str, shape: tuple[int, int]) -> Tensor:
        """Where a side `[1, 3, h, w]` begins. Raises `InputError` for a file that holds no such side."""
        if start == "zero":
            return torch.zeros(1, 3, *shape)
        if start == "normal":
            return torch.randn(1, 3, *shape)
        try:
            values: Tensor = load_file(Path(start))[side]
        except (OSError, SafetensorError, KeyError) as error:
            raise InputError(f'start {start!r} is neither "zero", "normal" nor a file of borders: {error}') from error
        if values.shape[1:] != (3, *shape) or len(values) != 1:
            raise InputError(f"start {start}: {side} is {tuple(values.shape)}, and this border needs {(1, 3, *shape)}")
        return values

    def prepare(self, shots: Shots) -> None:
        """Cluster the training images; every cluster gets a copy of the first border."""
        with torch.no_grad():
            ids = shots.images().select(torch.arange(min(MOST, len(shots))))
            prototypes = cluster(self.zero_shot(Call(shots.engine, shots.classes, ids)), self.threshold, self.clusters)
        self.resize(len(prototypes))
        self.prototypes.copy_(prototypes)

    def resize(self, count: int) -> None:
        """`count` borders, all as the first one."""
        for side in SIDES:
            first = self.get_parameter(side).detach()[:1]
            self.register_parameter(side, nn.Parameter(first.expand(count, -1, -1, -1).clone()))
        self.prototypes = self.prototypes[:1].expand(count, -1).clone()

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """As many borders as the file holds."""
        if "up" in state_dict:
            self.resize(len(state_dict["up"]))
        return super().load_state_dict(state_dict, *args, **kwargs)

    def zero_shot(self, call: Call) -> Tensor:
        """Zero-shot logits `[B, N]` over the taught classes, whatever classes are asked for."""
        return call.backbone.logits(call.frozen_image(), call.engine.frozen_text(self.taught.texts(self.template)))

    def distances(self, call: Call) -> Tensor:
        """Euclidean distances `[B, clusters]` of each image's zero-shot logits to the prototypes."""
        return torch.cdist(self.zero_shot(call), self.prototypes, compute_mode="donot_use_mm_for_euclid_dist")

    def route(self, call: Call) -> Tensor:
        """The nearest prototype `[B]` of each image."""
        if len(self.prototypes) == 1:
            return torch.zeros(len(call.batch), dtype=torch.long, device=self.prototypes.device)
        with torch.no_grad():
            return self.distances(call).argmin(1)

    def bordered(self, pixels: Tensor, owner: Tensor) -> Tensor:
        """Images `[B, 3, size, size]` with the border of their cluster added."""
        up, down, left, right = (self.get_parameter(side)[owner] for side in SIDES)
        middle = torch.cat([left, left.new_zeros(*left.shape[:3], self.size - 2 * self.border), right], 3)
        return pixels + torch.cat([up, middle, down], 2)

    def edits(self, call: Call) -> Edits:
        """The border of each image's cluster, and the template."""
        owner = self.route(call)
        return Edits(template=self.template, pixels=lambda pixels: self.bordered(pixels, owner))


def cluster(logits: Tensor, threshold: float, count: int | None = None) -> Tensor:
    """Mean logits `[clusters, N]` of agglomerative clusters of `logits [n, N]` (average linkage, Euclidean)."""
    if len(logits) < max(2, count or 0):
        return logits.mean(0, keepdim=True).expand(count or 1, -1)
    how = {"n_clusters": count} if count else {"n_clusters": None, "distance_threshold": threshold}
    owner = torch.from_numpy(AgglomerativeClustering(linkage="average", **how).fit_predict(logits.cpu().numpy()))
    owner = owner.to(logits.device)
    return torch.stack([logits[owner == one].mean(0) for one in range(int(owner.max()) + 1)])
