"""`vistune pretrain points`: a small PointBERT taught to name the solid and the colour of each of a cloud's neighbourhoods.

Point-BERT (arXiv 2111.14819) is taught to guess masked neighbourhoods, on a hundred thousand shapes; the linear heads here
(thrown away) name what they belong to, as the dense labels of `vision` do. Names alone were not found in 150 steps; the spread
of a neighbourhood's points (how flat it is, and which way) and its place on its solid lead there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from vistune.files import atomic_path, write_json
from vistune.model.encoders._point_bert import PointTransformer
from vistune.model.encoders.point_bert import PointBert
from vistune.model.sampling.neighbourhoods import farthest_points, gather, nearest_points
from vistune.pretrain.card import HASHED, write_card
from vistune.pretrain.loop import adamw, pretrain
from vistune.world import palette
from vistune.world.solids.cloud import MAX_COUNT, POINTS, Cloud, make_cloud
from vistune.world.solids.surfaces import NAMES

FOLDER = "point_bert"
CONFIG: dict[str, Any] = {
    "points": POINTS,
    "channels": 3,
    "groups": 64,
    "neighbours": 24,
    "width": 128,
    "depth": 5,
    "heads": 4,
    "groups_width": 96,
    "hidden": [48, 128, 64],
}
VALIDATION_CLOUDS = 192
OFFSETS = 8.0  # how much more than colours the places of a neighbourhood's points weigh at the start


def load(folder: Path) -> PointTransformer:
    """The encoder in a directory that this command wrote, as float32 and for use, not training."""
    return PointBert(str(folder.resolve())).model.eval().requires_grad_(False)


def stacked(clouds: Sequence[Cloud], encoder: PointTransformer) -> Tensor:
    """`[B, points, 6]` as the encoder prepares them."""
    return torch.stack([encoder.prepare(cloud.points) for cloud in clouds])


def spread(encoder: PointTransformer, prepared: Tensor) -> tuple[Tensor, Tensor]:
    """Centres `[B, G, 3]` of the groups, and the covariance `[B, G, 9]` of their points' offsets, divided by its trace."""
    xyz = prepared[..., :3]
    centres = gather(xyz, farthest_points(xyz, encoder.groups, encoder.starts(prepared)))
    offsets = gather(xyz, nearest_points(xyz, centres, encoder.neighbours)) - centres[:, :, None]
    covariance = torch.einsum("bgki,bgkj->bgij", offsets, offsets)
    return centres, (covariance / covariance.diagonal(dim1=-2, dim2=-1).sum(-1)[..., None, None]).flatten(2)


def boxes(clouds: Sequence[Cloud], prepared: Tensor, owner: Tensor) -> Tensor:
    """`[B, G, 6]`: the least and greatest coordinates, as prepared, of the solid that each group belongs to."""
    rows = []
    for cloud, points, mine in zip(clouds, prepared[..., :3], owner, strict=True):
        limits = torch.stack(
            [torch.cat([points[solid.points].amin(dim=0), points[solid.points].amax(dim=0)]) for solid in cloud.solids]
        )
        rows.append(limits[mine])
    return torch.stack(rows)


def owners(clouds: Sequence[Cloud], encoder: PointTransformer, prepared: Tensor) -> Tensor:
    """`[B, groups]`: the number of the solid on which each group's centre lies."""
    owner = np.empty(prepared.shape[:2], np.int64)
    for row, cloud in zip(owner, clouds, strict=True):
        for number, solid in enumerate(cloud.solids):
            row[solid.points] = number
    centres = farthest_points(prepared[..., :3], encoder.groups, encoder.starts(prepared))
    return torch.from_numpy(owner).gather(1, centres)


class Pretraining(nn.Module):
    """A PointBERT, and linear heads on its tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = PointTransformer(**{**CONFIG, "hidden": tuple(CONFIG["hidden"])})
        with torch.no_grad():  # a neighbour is a tenth of a unit away, a colour a unit: without this no shape is found for long
            self.encoder.group.first.enter.weight[:, :3] *= OFFSETS
        width = self.encoder.width
        self.name, self.colour = nn.Linear(width, len(NAMES)), nn.Linear(width, len(palette.NAMES))
        self.size, self.count = nn.Linear(width, 2), nn.Linear(width, MAX_COUNT)
        self.spread, self.box = nn.Linear(width, 9), nn.Linear(width, 6)

    def losses(self, clouds: Sequence[Cloud]) -> dict[str, Tensor]:
        """`name`, `colour`, `size` and `box` of each group's solid, `spread` of its points, `count` of the whole."""
        prepared = stacked(clouds, self.encoder)
        owner = owners(clouds, self.encoder, prepared)
        x = self.encoder(prepared).x
        truth = [
            [[NAMES.index(solid.name), palette.NAMES.index(solid.colour), int(solid.size == "large")] for solid in cloud.solids]
            for cloud in clouds
        ]
        wanted = torch.stack([torch.tensor(rows)[mine] for rows, mine in zip(truth, owner, strict=True)])  # [B, G, 3]
        losses = {
            key: F.cross_entropy(head(x[:, 1:]).flatten(0, 1), wanted[..., column].flatten())
            for column, (key, head) in enumerate((("name", self.name), ("colour", self.colour), ("size", self.size)))
        }
        counts = torch.tensor([len(cloud.solids) - 1 for cloud in clouds])
        centres, covariance = spread(self.encoder, prepared)
        losses["spread"] = 5 * F.smooth_l1_loss(self.spread(x[:, 1:]), covariance, beta=0.1)
        reach = boxes(clouds, prepared, owner) - centres.repeat(1, 1, 2)  # how far it is to the solid's sides
        losses["box"] = 2 * F.smooth_l1_loss(self.box(x[:, 1:]), reach, beta=0.1)
        losses["count"] = F.cross_entropy(self.count(x[:, 0]), counts)
        return losses

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Share of validation clouds' solids named right (by the mean over their groups), and of counts."""
        self.eval()  # the groups' batch norms use what they have gathered
        hits: dict[str, list[bool]] = {"name": [], "colour": [], "size": [], "count": []}
        for first in range(0, VALIDATION_CLOUDS, 32):
            clouds = [make_cloud(first + index, "validation") for index in range(32)]
            prepared = stacked(clouds, self.encoder)
            owner, x = owners(clouds, self.encoder, prepared), self.encoder(prepared).x
            for tokens, mine, cloud in zip(x, owner, clouds, strict=True):
                hits["count"].append(int(self.count(tokens[0]).argmax()) + 1 == len(cloud.solids))
                for number, solid in enumerate(cloud.solids):
                    mean = tokens[1:][mine == number].mean(0)
                    hits["name"].append(NAMES[int(self.name(mean).argmax())] == solid.name)
                    hits["colour"].append(palette.NAMES[int(self.colour(mean).argmax())] == solid.colour)
                    hits["size"].append(bool(self.size(mean).argmax()) == (solid.size == "large"))
        self.train()
        return {key: sum(values) / len(values) for key, values in hits.items()}


def pretrain_points(
    out: Path, steps: int, batch: int = 16, lr: float = 1e-3, seed: int = 0, until: int | None = None
) -> dict[str, float]:
    """Teach the PointBERT, write `config.json` (its arguments), `model.safetensors` (bf16) and its card; validation scores."""
    torch.manual_seed(seed)
    model = Pretraining()

    def losses_at(step: int) -> dict[str, Tensor]:
        first = (seed * steps + step) * batch
        return model.losses([make_cloud(first + index) for index in range(batch)])

    scores = pretrain(model, losses_at, model.validate, out, steps, [adamw(model.parameters(), lr)], until)
    folder = out / FOLDER
    folder.mkdir(exist_ok=True)
    write_json(folder / "config.json", CONFIG)
    state = {
        name: value.bfloat16() if value.is_floating_point() else value for name, value in model.encoder.state_dict().items()
    }
    with atomic_path(folder / "model.safetensors") as file:
        save_file(state, file)
    command = f"vistune pretrain points --steps {steps} --batch {batch} --seed {seed}"
    write_card(folder, out, command, model.encoder, (make_cloud(index).points for index in range(HASHED)), scores)
    return scores
