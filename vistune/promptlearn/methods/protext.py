"""ProText: deep text prompts taught from sentences alone (Khattak et al. 2024, arXiv 2401.02418)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.method import Call, Disclosure, Hyperparameters, depth_in, full_batches
from vistune.promptlearn.methods.ivlp import Ivlp

WORDS = "a photo of a"


class Protext(Ivlp):
    """The prompted feature of `a photo of a NAME.` is drawn to the frozen one of a sentence about NAME; no image is seen.

    More context vectors than those words have tokens start at random and stand before the bare name, as released.
    """

    recipe = Hyperparameters(optimizer="adamw", lr=0.03, batch=256, epochs=200, weight_decay=0.1, betas=(0.9, 0.98), warm_up=5)
    disclosure = Disclosure(language_model_text=True)

    needs_vision_blocks = False

    def __init__(self, backbone: DualEncoder, *, n_ctx: int = 4, depth: int | None = None, weight: float = 1000.0) -> None:
        words = WORDS if n_ctx <= len(backbone.tokenizer(WORDS)) else None
        super().__init__(backbone, n_text=n_ctx, depth_text=depth_in(backbone, 9, depth), depth_vision=0, words=words)
        self.weight = weight
        self._pairs: tuple[Tensor, tuple[str, ...]] | None = None
        self._queue: list[Tensor] = []

    def prepare(self, shots: Shots) -> None:
        """Collect the pairs of all taught classes."""
        self._pairs = self.pairs(Call(shots.engine, shots.classes))

    def batches(self, count: int, size: int) -> list[Tensor]:
        """As many steps as there are batches of pairs; images play no part, each step is given the first of them."""
        if self._pairs is None:
            return super().batches(count, size)
        self._queue = full_batches(len(self._pairs[1]), size)
        return [torch.zeros(1, dtype=torch.long)] * len(self._queue)

    def pairs(self, call: Call) -> tuple[Tensor, tuple[str, ...]]:
        """(class index, sentence) for every sentence about every class."""
        found = [(i, text) for i, name in enumerate(call.classes.names) for text in call.classes.descriptions.get(name, ())]
        if not found:
            call.classes.sentences(1, "ProText")
        return torch.tensor([i for i, _ in found]), tuple(text for _, text in found)

    def mapping_loss(self, names: tuple[str, ...], sentences: tuple[str, ...], call: Call) -> Tensor:
        """Mean squared difference over all entries of unit features, times the weight."""
        distinct = Classes(tuple(dict.fromkeys(names)))
        prompted = call.engine.text(distinct, self.edits(call)).features
        mine = prompted[torch.tensor([distinct.index(name) for name in names])]
        return self.weight * F.mse_loss(unit(mine), unit(call.engine.frozen_text(sentences)))

    def training_losses(self, call: Call) -> dict[str, Tensor]:
        """`mapping` of the step's batch of pairs, or of all sentences about the classes of a call outside teaching."""
        index, sentences = self._pairs if self._pairs is not None and self._queue else self.pairs(call)
        if self._queue:
            chosen = self._queue.pop(0)
            index, sentences = index[chosen], tuple(sentences[i] for i in chosen.tolist())
        return {"mapping": self.mapping_loss(tuple(call.classes.names[i] for i in index.tolist()), sentences, call)}
