"""DPC: a copy of a tuned prompt, taught on hard negatives, answers for taught classes (Li et al. 2025, arXiv 2503.13443)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.func import functional_call

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.losses import info_nce
from vistune.promptlearn.method import Call, Disclosure, Method, Phase
from vistune.promptlearn.pictures.images import Images
from vistune.promptlearn.plugin import Plugin
from vistune.promptlearn.towers.encoded import Encoded

FEWEST = 2  # further classes that each image of a batch brings in


class Dpc(Plugin):
    """P, any method tuned as usual, then its clone P' on batches enlarged by the `hard` classes P confuses most.

    P' learns by a symmetric contrastive loss over (image, class text) pairs. Taught classes are answered with the weights
    `omega` P' + (1 - `omega`) P, new classes with P alone (as the paper says; the release uses P' for both).
    """

    disclosure = Disclosure(told_split=True)
    stages = (Phase("tuning", 0.5, ("inner",)), Phase("hard negatives", 0.5, ("parallel",)))

    def __init__(self, backbone: DualEncoder, classes: Classes, inner: Method, *, omega: float = 0.2, hard: int = 8) -> None:
        super().__init__(backbone, inner)
        self.parallel = copy.deepcopy(inner)
        self.omega, self.hard = omega, hard
        self._shots: Shots | None = None
        self._hard_stage = False

    def start_stage(self, stage: Phase, shots: Shots) -> None:
        """The clone starts from the tuned prompt."""
        super().start_stage(stage, shots)
        self._shots, self._hard_stage = shots, stage.name == "hard negatives"
        if self._hard_stage:
            self.parallel.load_state_dict(self.inner.state_dict())

    def training_losses(self, call: Call) -> dict[str, Tensor]:
        """The inner terms, then `contrastive` on the enlarged batch."""
        if not self._hard_stage or self._shots is None:
            return self.inner.training_losses(call)
        images, labels = self.enlarge(call, self._shots)
        out = self.parallel(Call(call.engine, call.classes, images, labels))
        return {"contrastive": info_nce(out.logits[:, labels])}

    def enlarge(self, call: Call, shots: Shots) -> tuple[Images, Tensor]:
        """The batch, and behind it a random training image of each class that P confuses with it.

        Each image adds the classes among its `hard` highest that are not in yet, at most `hard` - 1 of them, and random ones
        where there are fewer than two.
        """
        with torch.no_grad():
            ranked = self.inner(call).logits.topk(min(self.hard, len(call.classes)), dim=1).indices.tolist()
        own: dict[int, list[int]] = {}
        for i, label in enumerate(shots.labels.tolist()):
            own.setdefault(label, []).append(i)
        taken, added = set(call.target.tolist()), []
        for row, label in zip(ranked, call.target.tolist(), strict=True):
            confused = [other for other in row if other != label][: self.hard - 1]
            fresh = [other for other in confused if other not in taken and other in own]
            rest = [other for other in own if other not in taken and other not in fresh]
            while len(fresh) < FEWEST and rest:
                fresh.append(rest.pop(int(torch.randint(len(rest), ()))))
            taken.update(fresh)
            added += fresh
        rows = torch.tensor([own[label][int(torch.randint(len(own[label]), ()))] for label in added], dtype=torch.long)
        labels = torch.cat([call.target, torch.tensor(added, dtype=torch.long, device=call.target.device)])
        if call.batch.bank is shots.bank and call.batch.ids is not None:
            return Images(bank=shots.bank, ids=torch.cat([call.batch.ids, rows])), labels
        return Images(torch.cat([call.batch.pixels, shots.bank.pixels(rows.tolist())])), labels

    def predict(self, call: Call, text: Encoded | None = None) -> Tensor:
        """The mixed prompt for taught classes, P for new ones."""
        if call.classes.split != "seen":
            return self.inner.predict(call)
        base, tuned = dict(self.inner.named_parameters()), dict(self.parallel.named_parameters())
        mixed = {name: self.omega * tuned[name] + (1 - self.omega) * value for name, value in base.items()}
        out = functional_call(self.inner, mixed, (call,))
        logits: Tensor = out.logits
        return logits
