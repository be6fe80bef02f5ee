"""TaskRes: a learnt residual on the frozen class weights (Yu et al. 2023, arXiv 2211.10277)."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.method import Call, Hyperparameters, Method, Phase


class Taskres(Method):
    """Class weights = mean raw text feature over templates + `alpha` x residual; the text tower is not run in training.

    With an `enhanced` base the text projection is tuned on the task first (section 4.1): "tuned" gives that half of the
    epochs, a safetensors file holds one already tuned as `weight [E, width]`. A class that was not taught has no residual and
    keeps its base weight. The paper's `alpha` is 0.5, the released code's default 1.
    """

    recipe = Hyperparameters(optimizer="adam", batch=256, epochs=100)

    def __init__(
        self,
        backbone: DualEncoder,
        classes: Classes,
        *,
        alpha: float = 0.5,
        templates: list[str] | None = None,
        enhanced: str | None = None,
    ) -> None:
        super().__init__(backbone)
        self.taught = classes.names
        self.alpha = alpha
        self.templates = templates
        self.residual = nn.Parameter(torch.zeros(len(classes), backbone.embed_dim))
        if enhanced is not None:
            self.projection = nn.Parameter(base_projection(backbone, enhanced), requires_grad=enhanced == "tuned")
        self.enhanced = enhanced
        if enhanced == "tuned":
            self.stages = (Phase("base", 0.5, ("projection",)), Phase("residual", 0.5, ("residual",)))

    def start_stage(self, stage: Phase, shots: Shots) -> None:
        """Once the base is tuned it stays."""
        if self.enhanced == "tuned":
            self.projection.requires_grad_(stage.name == "base")

    def base(self, call: Call) -> Tensor:
        """Unnormalised class features `[N, E]`: the mean over templates of raw features, projected anew with `enhanced`."""
        templates = self.templates or [call.classes.template]
        if self.enhanced is None:
            return call.engine.frozen_templates(call.classes, templates).mean(0)
        ends = torch.stack([call.engine.frozen_ends(call.classes.texts(template)) for template in templates])
        return F.linear(ends.mean(0), self.projection)

    def edits(self, call: Call) -> Edits:
        """The class weights."""
        place = {name: i for i, name in enumerate(self.taught)}
        row = torch.tensor([place.get(name, -1) for name in call.classes.names], device=self.residual.device)
        residual = torch.where((row >= 0)[:, None], self.residual[row.clamp(min=0)], 0.0)
        return Edits(class_weights=self.base(call) + self.alpha * residual)


def base_projection(backbone: DualEncoder, enhanced: str) -> Tensor:
    """The text projection `[E, width]` an enhanced base starts from. Raises `InputError` for a file without one."""
    if not isinstance(backbone.text.projection, nn.Linear):
        raise InputError(f"TaskRes: {backbone.identity} has no text projection that an enhanced base could tune")
    frozen = backbone.text.projection.weight.detach().clone()
    if enhanced == "tuned":
        return frozen
    try:
        given: Tensor = load_file(Path(enhanced))["weight"].to(frozen)
    except (OSError, SafetensorError, KeyError) as error:
        raise InputError(f'enhanced {enhanced!r} is neither "tuned" nor a safetensors file with `weight`: {error}') from error
    if given.shape != frozen.shape:
        raise InputError(f"enhanced base {enhanced}: weight is {tuple(given.shape)}, the projection is {tuple(frozen.shape)}")
    return given
