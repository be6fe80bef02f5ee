"""PromptSRC: deep prompts regularised by the frozen model (Khattak et al. 2023, arXiv 2307.06948)."""

from __future__ import annotations

import torch
from torch import Tensor

from vistune.promptlearn.average import EpochAverage
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.losses import divergence_per_entry, l1_distance
from vistune.promptlearn.method import Call, Hyperparameters, Output, depth_in
from vistune.promptlearn.methods.ivlp import Ivlp
from vistune.promptlearn.templates import PROMPTSRC_TEMPLATES


class Promptsrc(Ivlp):
    """IVLP (4 + 4 tokens, depth 9) with L1 to frozen text and image features, KL to frozen logits, and averaging over epochs.

    `templates` (released: 60 of CLIP's for ImageNet, for every data set) make the frozen text feature: raw features averaged,
    not normalised first. The average over epochs weighs
    epoch e by a normal density with `mean` and `std` (section 3.3); it replaces the weights after the last epoch.
    """

    recipe = Hyperparameters(lr=0.0025, batch=4, epochs=20)

    def __init__(
        self,
        backbone: DualEncoder,
        *,
        n_text: int = 4,
        n_vision: int = 4,
        depth: int | None = None,
        templates: list[str] | None = None,
        text_weight: float = 25.0,
        image_weight: float = 10.0,
        mean: float = 15.0,
        std: float = 1.0,
    ) -> None:
        depth = depth_in(backbone, 9, depth)
        super().__init__(backbone, n_text=n_text, n_vision=n_vision, depth_text=depth, depth_vision=depth)
        self.templates = templates or list(PROMPTSRC_TEMPLATES)
        self.text_weight, self.image_weight = text_weight, image_weight
        self.mean, self.std = mean, std
        self._average = EpochAverage()

    def frozen_text(self, call: Call) -> Tensor:
        """The mean raw feature over templates `[N, E]`."""
        return call.engine.frozen_templates(call.classes, self.templates).mean(0)

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """`cross_entropy`, `text_l1`, `image_l1`, `logit_kl`, weighted."""
        image, text = call.frozen_image(), self.frozen_text(call)
        return {
            **super().losses(out, call),
            "text_l1": self.text_weight * l1_distance(out.text.features, text),
            "image_l1": self.image_weight * l1_distance(out.image.features, image),
            "logit_kl": divergence_per_entry(out.logits, call.backbone.logits(image, text)),
        }

    def end_epoch(self, epoch: int, epochs: int) -> None:
        """Add this epoch to the average; after the last one the average is the result."""
        self._average.add(self, float(gaussian_weights(self.mean, self.std, epochs)[epoch]))
        if epoch == epochs - 1:
            self._average.load_into(self)


def gaussian_weights(mean: float, std: float, epochs: int) -> Tensor:
    """Weights of epochs 1 .. `epochs`: a normal density at the integers, divided by its sum (float64, then float32)."""
    epoch = torch.arange(1, epochs + 1, dtype=torch.float64)
    density = torch.softmax(-((epoch - mean) ** 2) / (2 * std**2), 0)
    return density.float()
