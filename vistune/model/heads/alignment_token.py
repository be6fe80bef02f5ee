"""Regions and words in one space: the alignment token of the All-Seeing Model (arXiv 2308.01907, section 4.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.features import Prepared, Thing
from vistune.model.heads.base import Head, Loss, Made
from vistune.model.modalities.base import Seen
from vistune.prompt.writer import Aside, Stretch, Trigger, Words
from vistune.sample import Part, Region, Sample

ALIGN = "<align>"


class AlignmentToken(Head):
    """The state at `<align>` behind a question about a region, and that behind its label alone, projected to `features`.

    The loss is contrastive, in both directions, over the regions of a row; each is to find its own label. Alignment serves
    retrieval and classification (`similarity`). The All-Seeing Model also puts learned soft prompts in front, gives the token
    the position zero, and contrasts across processes.
    """

    makes = ("produce_box",)
    state = "own"
    tokens = (ALIGN,)
    losses: Mapping[str, float] = {"alignment": 1.0}

    def __init__(self, width: int, features: int = 512) -> None:
        super().__init__()
        self.seen, self.said = nn.Linear(width, features, bias=False), nn.Linear(width, features, bias=False)
        # CLIP's temperature, kept as a logarithm so that it stays positive.
        self.scale = nn.Parameter(torch.full((1,), log(1 / 0.07)))
        for layer in (self.seen, self.said):
            nn.init.normal_(layer.weight, std=width**-0.5)

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """The token, which nobody says; aside, the label and the token behind it."""
        assert isinstance(part, Region)
        label = Words(part.label or "", said=False)
        return [Trigger(ALIGN, said=False), Aside((label, Trigger(ALIGN, said=False)), alone=True)]

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """`inputs [1]`: nothing but that there is a region. Raises `InputError` for a region without a label."""
        assert isinstance(part, Region)
        if not part.label:
            raise InputError(f"{sample.where}: a region is to be aligned with its label, and has none")
        return Prepared(torch.ones(1))

    def loss(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> dict[str, Loss]:
        """Of each thing, `hidden [2, H]` has the state behind the question and the one behind the label."""
        states = torch.stack(list(hidden))
        # In fp32 (`region`, `text`): normalised features in bf16 tie with their neighbours.
        each = contrast_each(self.similarity(self.region(states[:, 0]), self.text(states[:, 1])))
        return {"alignment": Loss(each.sum(), "produce_box")}

    def decode(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> list[Made]:
        """Nothing is made: the features are compared."""
        return []

    def region(self, states: Tensor) -> Tensor:
        """States `[n, H]` at the token behind regions -> unit features."""
        return F.normalize(self.seen(states.float()), dim=-1)

    def text(self, states: Tensor) -> Tensor:
        """States `[n, H]` at the token behind labels -> unit features."""
        return F.normalize(self.said(states.float()), dim=-1)

    def similarity(self, regions: Tensor, texts: Tensor) -> Tensor:
        """Scaled similarities `[n, m]`: softmax over texts classifies regions."""
        return self.scale.exp() * regions @ texts.T


def contrast_each(similarity: Tensor) -> Tensor:
    """The mean of both directions' cross-entropies for each pair, `[n, n]` -> `[n]`: what is alike stands on the diagonal."""
    own = torch.arange(len(similarity), device=similarity.device)
    one, two = (F.cross_entropy(scores, own, reduction="none") for scores in (similarity, similarity.T))
    return (one + two) / 2
