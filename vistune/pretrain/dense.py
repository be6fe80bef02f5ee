"""Dense labels: what lies under each patch of a scene, and the heads that learn to say it.

Contrast between whole pictures and captions does not teach a small encoder what is *where*; naming the object under each patch
does (the same finding as region-level pretraining, e.g. RegionCLIP, arXiv 2112.09106). The heads are thrown away afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from vistune.sample import Box
from vistune.world.scene import Scene

NOTHING = 0
MIN_COVER = 0.3  # a patch belongs to an object whose box covers this much of it
CELL = 2  # pixels: the ink around a patch is learnt in cells of 2 x 2


@dataclass(frozen=True)
class DenseTargets:
    """Per patch, in raster order: name and colour class (0 = background), the object's box, the ink on and around the patch."""

    names: Tensor  # [B, L] long
    colours: Tensor  # [B, L] long
    boxes: Tensor  # [B, L, 4] xyxy in [0, 1], zero on background
    ink: Tensor  # [B, L, C] share of ink in each cell of the patch and its eight neighbours

    def at(self, kept: Tensor) -> DenseTargets:
        """The targets of some patches, `kept [B, K]`."""

        def pick(values: Tensor) -> Tensor:
            return values.gather(1, kept.view(*kept.shape, *[1] * (values.ndim - 2)).expand(-1, -1, *values.shape[2:]))

        return DenseTargets(pick(self.names), pick(self.colours), pick(self.boxes), pick(self.ink))

    def crowded_first(self, keep: int, generator: torch.Generator) -> Tensor:
        """`[B, keep]`: patches of objects in random order, then background to fill up."""
        order = torch.rand(self.names.shape, generator=generator) + (self.names != NOTHING)
        return order.topk(keep, dim=1).indices


def dense_targets(scenes: Sequence[Scene], grid: int, names: Sequence[str], colours: Sequence[str]) -> DenseTargets:
    """Label every patch of a `grid` x `grid` layout with the object whose box covers most of it."""
    name_index = {name: index for index, name in enumerate(names, 1)}
    colour_index = {colour: index for index, colour in enumerate(colours, 1)}
    shape = (len(scenes), grid, grid)
    name = np.zeros(shape, np.int64)
    colour = np.zeros(shape, np.int64)
    boxes = np.zeros((*shape, 4), np.float32)
    for index, scene in enumerate(scenes):
        owner = owners([thing.box for thing in scene.objects], grid)
        for number, thing in enumerate(scene.objects, 1):
            here = owner == number
            name[index][here] = name_index[thing.name]
            colour[index][here] = colour_index[thing.colour]
            boxes[index][here] = thing.box
    flat = (len(scenes), grid * grid)
    return DenseTargets(
        torch.from_numpy(name.reshape(flat)),
        torch.from_numpy(colour.reshape(flat)),
        torch.from_numpy(boxes.reshape(*flat, 4)),
        ink_around(scenes, grid),
    )


def owners(boxes: Sequence[Box], grid: int) -> NDArray[np.int64]:
    """`[grid, grid]`: the number, from one, of the box that covers most of each patch; zero where none covers enough."""
    edges = np.arange(grid + 1)
    best, owner = np.full((grid, grid), MIN_COVER), np.zeros((grid, grid), np.int64)
    for number, box in enumerate(boxes, 1):
        x1, y1, x2, y2 = (value * grid for value in box)
        across = np.clip(np.minimum(edges[1:], x2) - np.maximum(edges[:-1], x1), 0, None)
        down = np.clip(np.minimum(edges[1:], y2) - np.maximum(edges[:-1], y1), 0, None)
        cover = down[:, None] * across[None, :]
        owner[cover > best] = number
        best = np.maximum(best, cover)
    return owner


def ink_around(scenes: Sequence[Scene], grid: int) -> Tensor:
    """`[B, L, C]`: how much ink lies in each cell of a patch and its eight neighbours; outside the picture there is none."""
    masks = np.stack([np.logical_or.reduce([thing.mask for thing in scene.objects]) for scene in scenes])
    cells = F.avg_pool2d(torch.from_numpy(masks).float()[:, None], CELL)
    side = cells.shape[-1] // grid
    return F.unfold(cells, kernel_size=3 * side, stride=side, padding=side).transpose(1, 2)


class DenseHeads(nn.Module):
    """Linear read-outs of a patch's name, colour and box from late features, and of the ink around it from early ones.

    The ink is what gets a small tower off its plateau: to draw what is on the neighbouring patches it must learn to look at
    them, and a digit is named by its strokes on several.
    """

    def __init__(self, width: int, names: int, colours: int, cells: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.name = nn.Linear(width, names + 1)
        self.colour = nn.Linear(width, colours + 1)
        self.box = nn.Linear(width, 4)
        self.early_norm = nn.LayerNorm(width)
        self.ink = nn.Linear(width, cells)

    def forward(self, early: Tensor, x: Tensor, targets: DenseTargets) -> dict[str, Tensor]:
        """Named losses. Background patches weigh a tenth, since they are many and easy."""
        x = self.norm(x)
        thing = (targets.names != NOTHING).float()
        weight = thing + 0.1 * (1 - thing)
        losses = {}
        for key, head, target in (("name", self.name, targets.names), ("colour", self.colour, targets.colours)):
            each = F.cross_entropy(head(x).flatten(0, 1), target.flatten(), reduction="none").view_as(weight)
            losses[key] = (each * weight).sum() / weight.sum()
        distance = F.l1_loss(self.box(x).sigmoid(), targets.boxes, reduction="none").sum(-1)
        things = thing.sum().clamp(min=1)
        losses["box"] = (distance * thing).sum() / things
        losses["ink"] = 4 * F.binary_cross_entropy_with_logits(self.ink(self.early_norm(early)), targets.ink)
        return losses

    @torch.no_grad()
    def accuracy(
        self, x: Tensor, scenes: Sequence[Scene], targets: DenseTargets, names: Sequence[str]
    ) -> dict[str, tuple[int, int]]:
        """Object-level hits and totals: an object is read by the mean log-probability over its patches."""
        x = self.norm(x)
        log_names = self.name(x).log_softmax(-1)
        colours = self.colour(x).argmax(-1)
        hits: dict[str, list[bool]] = {"digit": [], "shape": [], "word": [], "colour": []}
        for index, scene in enumerate(scenes):
            for thing in scene.objects:
                mine = (targets.boxes[index] == torch.tensor(thing.box, dtype=torch.float32)).all(-1)
                if not mine.any():
                    continue
                guess = int(log_names[index, mine].mean(0)[1:].argmax())
                hits[thing.kind].append(names[guess] == thing.name)
                hits["colour"].append(bool(colours[index, mine].mode().values == targets.colours[index, mine][0]))
        return {key: (sum(values), len(values)) for key, values in hits.items()}
