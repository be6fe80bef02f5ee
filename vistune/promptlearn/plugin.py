"""Plug-ins: methods that wrap another method and pass everything on that they do not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.method import Call, Method, Output, Phase


class Plugin(Method):
    """Wraps `inner`: its edits, losses, gradients and hooks, unless a subclass says otherwise."""

    def __init__(self, backbone: DualEncoder, inner: Method) -> None:
        super().__init__(backbone)
        self.inner = inner
        # A plug-in that names a recipe of its own overrides that of the method inside; the identity tells whether it does.
        self.recipe = inner.recipe if type(self).recipe is Method.recipe else type(self).recipe
        self.answers_new_classes = inner.answers_new_classes
        self.second_view = inner.second_view
        self.plain_view = inner.plain_view
        self.test_views, self.test_augment = inner.test_views, inner.test_augment
        self.stages = inner.stages if type(self).stages is Method.stages else type(self).stages

    def edits(self, call: Call) -> Edits:
        """The inner method's."""
        return self.inner.edits(call)

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """The inner method's."""
        return self.inner.losses(out, call)

    def backward(self, losses: Mapping[str, Tensor], learnt: Sequence[nn.Parameter]) -> None:
        """The inner method's."""
        self.inner.backward(losses, learnt)

    def prepare(self, shots: Shots) -> None:
        """The inner method's."""
        self.inner.prepare(shots)

    def finish(self, shots: Shots) -> None:
        """The inner method's."""
        self.inner.finish(shots)

    def start_epoch(self, epoch: int, epochs: int, shots: Shots) -> None:
        """The inner method's."""
        self.inner.start_epoch(epoch, epochs, shots)

    def end_epoch(self, epoch: int, epochs: int) -> None:
        """The inner method's."""
        self.inner.end_epoch(epoch, epochs)

    def batches(self, count: int, size: int) -> list[Tensor]:
        """The inner method's."""
        return self.inner.batches(count, size)

    def start_stage(self, stage: Phase, shots: Shots) -> None:
        """The inner method's."""
        self.inner.start_stage(stage, shots)
