"""Tip-Adapter(-F): a cache of the training images beside the zero-shot logits (Zhang et al. 2022, arXiv 2207.09519)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.engine import ensemble
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.method import Call, Hyperparameters, Method, rows
from vistune.promptlearn.towers.encoded import Encoded

SCALE = 100.0  # the release fixes the temperature instead of reading the backbone's


class TipAdapter(Method):
    """logits = 100 f W + `alpha` exp(-`beta` (1 - f K')) V; keys K are the mean raw features of each image's views, made unit.

    With `learn_keys` (Tip-Adapter-F) the keys are then taught, with the given `alpha` and `beta`; `shots` is the number of
    images a class. W is the ensemble of `templates`, or of the classes' own one. After teaching, `search` looks for the pair
    with the best accuracy on the validation images: a grid of `search_steps` values of beta and alpha from 0.1 up to, not
    including, `beta_scale` and `alpha_scale` (or both as `search_scale`); without validation images the given pair stays.

    The release searches on the test set for ImageNet, and takes the epoch of the best test accuracy everywhere; neither is
    done here. The defaults are its settings for ImageNet; those of other data sets stand in `published.py`.
    """

    recipe = Hyperparameters(
        optimizer="adamw", lr=0.001, batch=256, epochs=20, weight_decay=0.01, epsilon=1e-4, views=10,
        schedule="step", floor=0.0, crop=(0.5, 1.0),
    )  # fmt: skip
    answers_new_classes = False

    def __init__(
        self,
        backbone: DualEncoder,
        classes: Classes,
        *,
        shots: int = 16,
        alpha: float = 1.17,
        beta: float = 1.0,
        learn_keys: bool = True,
        templates: list[str] | None = None,
        search: bool = True,
        search_scale: tuple[float, float] | None = None,
        beta_scale: float = 7.0,
        alpha_scale: float = 3.0,
        search_steps: tuple[int, int] = (200, 20),
    ) -> None:
        super().__init__(backbone)
        self.taught = classes.names
        self.factors: Tensor
        # A buffer, so that what the search found is saved and loaded with the keys.
        self.register_buffer("factors", torch.tensor([alpha, beta], dtype=torch.float64))
        self.templates = templates
        self.search, self.search_steps = search, search_steps
        self.search_scale = search_scale or (beta_scale, alpha_scale)
        self.keys = nn.Parameter(torch.zeros(shots * len(classes), backbone.embed_dim), requires_grad=learn_keys)
        self.values: Tensor
        self.register_buffer("values", torch.zeros(shots * len(classes), dtype=torch.long))

    @property
    def alpha(self) -> float:
        """The weight of the cache."""
        return float(self.factors[0])

    @property
    def beta(self) -> float:
        """How sharply the cache falls off."""
        return float(self.factors[1])

    def prepare(self, shots: Shots) -> None:
        """Fill the cache from all training images."""
        if len(shots) != len(self.keys):
            raise ValueError(f"the cache has room for {len(self.keys)} images, {len(shots)} were given")
        with torch.no_grad():
            # Raw features are averaged and made unit once, as released; averages of unit features would weigh crops
            # otherwise.
            views = [shots.engine.image(shots.images(view)).pooled for view in range(shots.views)]
            self.keys.copy_(unit(torch.stack(views).mean(0)))
        self.values.copy_(shots.labels)

    def finish(self, shots: Shots) -> None:
        """Search both factors on the validation images."""
        if not self.search or shots.validation is None or shots.validation_labels is None:
            return
        call = Call(shots.engine, shots.classes, shots.validation)
        with torch.no_grad():
            f = unit(shots.engine.image(shots.validation).pooled)
            zero_shot = SCALE * f @ self.classifier(call).T
            found = search(
                zero_shot, f @ self.keys.T, self.one_hot(call), shots.validation_labels, self.search_scale, self.search_steps
            )
        self.factors.copy_(torch.tensor(found, dtype=torch.float64))

    def classifier(self, call: Call) -> Tensor:
        """The unit zero-shot weights `[N, E]`."""
        return ensemble(call.engine.frozen_templates(call.classes, self.templates or [call.classes.template]))

    def one_hot(self, call: Call) -> Tensor:
        """The values `[images, N]` for the classes of a call."""
        return F.one_hot(self.values, len(self.taught)).to(self.keys)[:, rows(self.taught, call.classes, "Tip-Adapter")]

    def edits(self, call: Call) -> Edits:
        """Logits of both kinds, summed."""

        def logits(image: Encoded, text: Encoded) -> Tensor:
            f = unit(image.features)
            cached = cache_logits(f @ self.keys.T, self.one_hot(call), self.beta)
            return SCALE * (f @ unit(text.features).T) + self.alpha * cached

        return Edits(class_weights=self.classifier(call), logits=logits)


def cache_logits(affinity: Tensor, values: Tensor, beta: float) -> Tensor:
    """exp(-beta (1 - affinity)) V."""
    return torch.exp(-(beta - beta * affinity)) @ values


def search(
    zero_shot: Tensor,
    affinity: Tensor,
    values: Tensor,
    labels: Tensor,
    scale: tuple[float, float],
    steps: tuple[int, int],
) -> tuple[float, float]:
    """The first (alpha, beta) with the best accuracy, beta in the outer loop; value i is 0.1 + i (scale - 0.1) / steps."""
    betas, alphas = ([0.1 + i * (top - 0.1) / count for i in range(count)] for top, count in zip(scale, steps, strict=True))
    best, found = -1, (alphas[0], betas[0])
    for beta in betas:
        cached = cache_logits(affinity, values, beta)
        for alpha in alphas:
            right = int(((zero_shot + alpha * cached).argmax(1) == labels).sum())
            # Strictly better only: of equal pairs the first stays, as in the release.
            if right > best:
                best, found = right, (alpha, beta)
    return found
