"""All objects of a picture at once, by queries decoded in parallel and matched one to one: VisionLLM (arXiv 2305.11175)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, sqrt

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.features import Prepared, Thing
from vistune.model.heads.base import Head, Loss, Made
from vistune.model.modalities.base import Seen
from vistune.prompt.writer import Places, Stretch, Words
from vistune.sample import Part, Region, Sample, Turn

OPEN = "<boxes>"
_FORMAT = 5  # a query asks for a class and four coordinates: "<cls> <x1> <y1> <x2> <y2>" (section 3.3)


class SetQueries(Head):
    """Behind `<boxes>`, `queries` groups of five places, "<cls> <x1> <y1> <x2> <y2>", stand for the boxes of a whole answer.

    Each group has an anchor, on a grid over the picture; a coordinate is one of `2 * bins + 1` steps of `1 / bins` away from
    it. Groups and boxes are matched at the least cost (Hungarian matching); unmatched groups say that there is nothing. The
    class of a box is its label's number among the sample's `choices`, zero where it has none.

    VisionLLM's anchors come from a Deformable DETR that reads the instruction, and its classes and steps are tokens of the
    language model; here both are layers of the head.
    """

    makes = ("produce_box",)
    state = "own"
    fills = True
    tokens = (OPEN,)
    opens = OPEN
    losses: Mapping[str, float] = {"set_class": 1.0, "set_step": 1.0, "set_l1": 5.0}

    centres: Tensor  # xy of the anchors, [queries, 2]

    def __init__(self, width: int, queries: int = 100, classes: int = 80, bins: int = 512) -> None:
        super().__init__()
        self.queries, self.classes, self.bins = queries, classes, bins
        self.form = nn.Parameter(torch.randn(_FORMAT, width) * 0.02)
        self.anchor = nn.Parameter(torch.randn(queries, width) * 0.02)
        self.classify = nn.Linear(width, classes)
        self.step = nn.Linear(width, 2 * bins + 1)
        side = ceil(sqrt(queries))
        number = torch.arange(queries)
        centres = torch.stack([number % side, number // side], dim=1).add(0.5) / torch.tensor([side, ceil(queries / side)])
        self.register_buffer("centres", centres, persistent=False)
        nn.init.constant_(self.classify.bias, -4.6)  # most groups are to say "nothing": log(0.01 / 0.99)

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """The places of all groups for the first box of an answer, nothing for the others."""
        # The set answers for all boxes at once, so the first one writes and the others stay silent.
        return [Words(OPEN), Places(_FORMAT * self.queries)] if part is _boxes(part, sample)[0] else []

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """`inputs [n, 4]`: all boxes of the answer; `extra["classes"] [n]`."""
        boxes = _boxes(part, sample)
        if len(boxes) > self.queries:
            raise InputError(f"{sample.where}: an answer has {len(boxes)} boxes, heads.set_queries {self.queries} queries")
        classes = [self._class(region, sample) for region in boxes]
        target = torch.tensor([region.box for region in boxes], dtype=torch.float32)
        return Prepared(target, extra={"classes": torch.tensor(classes)})

    def _class(self, region: Region, sample: Sample) -> int:
        if not sample.choices:
            return 0
        if region.label not in sample.choices or sample.choices.index(region.label) >= self.classes:
            raise InputError(
                f"{sample.where}: the label {region.label!r} is none of the first {self.classes} of the sample's choices"
            )
        return sample.choices.index(region.label)

    def fill(self, count: int) -> Tensor:
        """Group by group, the format's embeddings, each with that of the group's anchor: `[5 * queries, H]`."""
        return (self.anchor[:, None] + self.form).flatten(0, 1)

    def loss(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> dict[str, Loss]:
        """Focal loss of classes over all groups; cross-entropy of steps and L1 of coordinates over matched ones.

        Each term is divided by the number of boxes in its answer, as detection counts.
        """
        terms = [self._terms(states, thing.ready) for states, thing in zip(hidden, things, strict=True)]
        sums = torch.stack([torch.stack(term) for term in terms]).sum(dim=0)
        return {name: Loss(total, "produce_box") for name, total in zip(self.losses, sums, strict=True)}

    def _terms(self, states: Tensor, target: Prepared) -> tuple[Tensor, Tensor, Tensor]:
        assert target.extra is not None
        classes, steps, boxes = self.read(states)
        wanted, labels = target.inputs.to(boxes), target.extra["classes"].to(boxes.device)
        rows, columns = self.match(classes, boxes, wanted, labels)
        truth = torch.zeros_like(classes)
        truth[rows, labels[columns]] = 1
        chosen = self.steps_of(wanted[columns], self.centres[rows])
        count = max(1, len(wanted))
        # A quarter: a box has four coordinates and is to count as one.
        step = F.cross_entropy(steps[rows].flatten(0, 1), chosen.flatten(), reduction="sum") / 4
        return focal(classes, truth) / count, step / count, (boxes[rows] - wanted[columns]).abs().sum() / count

    @torch.no_grad()
    def match(self, classes: Tensor, boxes: Tensor, wanted: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Groups and boxes, paired at the least cost: minus the class's probability, and five times the L1 distance."""
        cost = -classes.sigmoid()[:, labels] + 5 * torch.cdist(boxes, wanted, p=1)
        # Without gradients: which group answers for which box is a choice, and the losses of the pairs teach both.
        rows, columns = linear_sum_assignment(cost.float().cpu().numpy())
        return torch.as_tensor(rows, device=boxes.device), torch.as_tensor(columns, device=boxes.device)

    def read(self, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """States `[5 * queries, H]` -> class logits `[queries, classes]`, steps `[queries, 4, steps]`, xyxy `[queries, 4]`."""
        groups = states.unflatten(0, (self.queries, _FORMAT))
        classes, steps = self.classify(groups[:, 0]), self.step(groups[:, 1:])
        sizes = torch.arange(-self.bins, self.bins + 1, device=states.device) / self.bins
        away = (steps.softmax(dim=-1) * sizes).sum(dim=-1)  # the expected step, which has a gradient
        return classes, steps, self.centres.repeat(1, 2) + away

    def steps_of(self, boxes: Tensor, centres: Tensor) -> Tensor:
        """The steps `[n, 4]` from anchors `[n, 2]` to boxes, counted from the smallest."""
        return ((boxes - centres.repeat(1, 2)) * self.bins).round().long().clamp(-self.bins, self.bins) + self.bins

    def decode(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> list[Made]:
        """Of every group that is surer of a class than not, its box, labelled with the class's number."""
        made: list[Made] = []
        with torch.no_grad():
            for states, thing in zip(hidden, things, strict=True):
                classes, _, boxes = self.read(states)
                chance, number = classes.sigmoid().max(dim=1)
                place = 0 if thing.on is None else thing.on[1]
                for group in (chance > 0.5).nonzero()[:, 0].tolist():
                    (x1, y1), (x2, y2) = boxes[group].clamp(0, 1).view(2, 2).tolist()
                    if x1 <= x2 and y1 <= y2:
                        made.append(Region(place, box=(x1, y1, x2, y2), label=str(int(number[group]))))
        return made


def focal(logits: Tensor, truth: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Focal loss (arXiv 1708.02002), summed."""
    each = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    right = torch.where(truth > 0, logits.sigmoid(), 1 - logits.sigmoid())
    return (torch.where(truth > 0, alpha, 1 - alpha) * (1 - right) ** gamma * each).sum()


def _boxes(part: Part, sample: Sample) -> list[Region]:
    """All boxes of the answer that holds `part`; a box that no answer holds stands alone."""

    def holds(turn: Turn) -> bool:
        return turn.role == "assistant" and any(part is other for other in turn.parts)

    turn = next((turn for turn in sample.turns if holds(turn)), Turn("assistant", (part,)))
    return [other for other in turn.parts if isinstance(other, Region) and other.box is not None]
