"""A box for the token `[BOX]` by regression: the baseline against which coordinates in words are measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from vistune.model.features import Prepared, Thing
from vistune.model.heads._boxes import from_centre, giou_each
from vistune.model.heads.base import Head, Loss, Made
from vistune.model.modalities.base import Seen
from vistune.prompt.writer import Stretch, Trigger
from vistune.sample import Part, Region, Sample


class BoxRegression(Head):
    """The state that predicts `[BOX]`, through three layers and a sigmoid: centre, width and height of the original.

    The losses are DETR's (arXiv 2005.12872, section 3.1) with its weights: five times L1, twice generalised IoU.
    """

    makes = ("produce_box",)
    state = "predicting"
    tokens = ("[BOX]",)
    losses: Mapping[str, float] = {"box_l1": 5.0, "box_giou": 2.0}

    def __init__(self, width: int, hidden: int = 256) -> None:
        super().__init__()
        self.project = nn.Sequential(
            nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 4)
        )

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """The trigger."""
        return [Trigger("[BOX]")]

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """`inputs [1, 4]`: the box, xyxy in [0, 1] of the original."""
        assert isinstance(part, Region) and part.box is not None
        return Prepared(torch.tensor([part.box], dtype=torch.float32))

    def loss(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> dict[str, Loss]:
        """L1 over the four coordinates, and one minus generalised IoU, of each box."""
        made = self.boxes(hidden)
        target = torch.cat([thing.ready.inputs for thing in things]).to(made)
        l1 = (made - target).abs().sum()
        return {"box_l1": Loss(l1, "produce_box"), "box_giou": Loss((1 - giou_each(made, target)).sum(), "produce_box")}

    def decode(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> list[Made]:
        """Boxes on the original, cut off where they leave it."""
        with torch.no_grad():
            boxes = self.boxes(hidden).clamp(0, 1).tolist()
        places = [0 if thing.on is None else thing.on[1] for thing in things]
        return [Region(place, box=(x1, y1, x2, y2)) for place, (x1, y1, x2, y2) in zip(places, boxes, strict=True)]

    def boxes(self, hidden: Sequence[Tensor]) -> Tensor:
        """xyxy `[n, 4]` of n things."""
        # The last state: a head whose token was split into several would have all of it read by then.
        return from_centre(self.project(torch.cat([states[-1:] for states in hidden])).sigmoid())
