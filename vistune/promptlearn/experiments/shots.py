"""The training images of one run, as a method's hooks see them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vistune.promptlearn.classes import Classes
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.pictures.images import Bank, Images


@dataclass(frozen=True, slots=True, eq=False)
class Shots:
    """`bank` holds `views` versions of every image: row `view * len(labels) + i` is image i.

    `labels [n]` index `classes`; `unlabelled` are images of taught and new classes alike, for methods that use them;
    `everything` are the classes those come from. `plain` holds the same images without a random crop, `validation` and
    `validation_labels` the validation images.
    """

    engine: Engine
    classes: Classes
    bank: Bank
    labels: Tensor
    views: int = 1
    unlabelled: Bank | None = None
    everything: Classes | None = None
    plain: Bank | None = None
    validation: Images | None = None
    validation_labels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def images(self, view: int = 0) -> Images:
        """All images in one of their views."""
        return Images(bank=self.bank, ids=torch.arange(len(self)) + view * len(self))
