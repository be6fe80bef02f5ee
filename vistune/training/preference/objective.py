"""The loss of a stage that learns from pairs: log-probabilities under policy and reference, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
import torch.nn.functional as F
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vistune.errors import InputError
from vistune.model.adapters.adapt import adapter_parameters
from vistune.model.answering.prefixes import Shared
from vistune.model.heads.base import Loss
from vistune.model.language.loss import HELD
from vistune.model.packing import Batch
from vistune.model.vlm import VisionLanguageModel
from vistune.prompt.render import IGNORE
from vistune.training.preference.losses import LOSSES, SFT, Answers, Pairs, Preference
from vistune.training.preference.pairs import PairBatch

Kept = dict[int, tuple[float, float, float]]
"""By a sample's number: the reference's log-probabilities of its chosen and rejected answer, and of the chosen one unseen."""


class Objective:
    """Named losses of a row of pairs, as `VisionLanguageModel.forward` gives those of other rows.

    `rewards` holds, of the rows since it was last taken, the sums of what is logged beside the loss.
    """

    def __init__(self, model: VisionLanguageModel, told: Preference, trained: frozenset[str], kept: Kept | None = None) -> None:
        self.model, self.told, self.kept = model, told, kept
        how: str = told.reference
        others = sorted(trained - adapter_parameters(model))
        if how == "auto":
            # Switching adapters off gives the weights of before for nothing, but only where no other weight has moved.
            how = "kept" if others else "adapters"
        if how == "adapters" and others:
            raise InputError(
                f"preference.reference is adapters, but {others[0]} is trained, too, which no adapter holds: say copy or kept"
            )
        self.how = how
        self._copy: dict[str, Tensor] = {}
        if how == "copy" and told.compares:
            self._copy = {name: tensor.detach().clone() for name, tensor in model.named_parameters() if name in trained}
        self.rewards: dict[str, float] = {}

    def __call__(self, pairs: PairBatch) -> dict[str, Loss]:
        """The losses, summed over pairs (`sft`: over tokens of the chosen answers)."""
        row, unseen = log_probabilities(self.model, pairs.row, pairs.shared), None
        if pairs.unseen is not None:
            unseen = log_probabilities(self.model, pairs.unseen, None)
        reference = self.reference(pairs)
        sizes = torch.tensor([int((part != IGNORE).sum()) for part in pairs.row.labels.split(pairs.row.lengths)]).to(row)
        scale = sizes if self.told.average else torch.ones_like(sizes)
        sides = [
            Answers(row[side::2] / scale[side::2], reference[side].to(row) / scale[side::2], sizes[side::2]) for side in (0, 1)
        ]
        hidden = None if unseen is None else Answers(unseen / scale[::2], reference[2].to(row) / scale[::2], sizes[::2])
        made = Pairs(sides[0], sides[1], hidden)
        weighted = [weight * LOSSES[name].of(made, self.told).sum() for name, weight in self.told.losses.items() if name != SFT]
        losses = {"preference": Loss(torch.stack(weighted).sum(), "pairs")}
        if SFT in self.told.losses:
            losses[SFT] = Loss(-self.told.losses[SFT] * row[::2].sum(), "chosen")
        self._note(made)
        return losses

    @torch.no_grad()
    def reference(self, pairs: PairBatch) -> Tensor:
        """`[3, P]`: the reference's log-probabilities of chosen and rejected answers, and of the chosen ones unseen."""
        if not self.told.compares:
            return torch.zeros(3, len(pairs.places))
        if self.how == "kept" and self.kept is not None:
            return torch.tensor([self.kept[place] for place in pairs.places]).T
        with self._as_reference():
            row = log_probabilities(self.model, pairs.row, pairs.shared).float()
            hidden = torch.zeros_like(row[::2])
            if pairs.unseen is not None:
                hidden = log_probabilities(self.model, pairs.unseen, None).float()
        return torch.stack([row[::2], row[1::2], hidden]).cpu()

    @contextmanager
    def _as_reference(self) -> Iterator[None]:
        """The model as it was before the first step, without its dropout."""
        was = self.model.training
        self.model.eval()
        weights: AbstractContextManager[None] = nullcontext()
        if self.how == "adapters":
            weights = without_adapters(self.model)
        elif self._copy:
            weights = swapped(self.model, self._copy)
        try:
            with weights:
                yield
        finally:
            self.model.train(was)

    def _note(self, pairs: Pairs) -> None:
        chosen, rejected = (self.told.beta * side.ratio.detach() for side in (pairs.chosen, pairs.rejected))
        found = {
            "rewards_chosen": chosen.sum(),
            "rewards_rejected": rejected.sum(),
            "rewards_margin": (chosen - rejected).sum(),
            "rewards_accuracy": (chosen > rejected).sum(),
            "logps_chosen": pairs.chosen.policy.detach().sum(),
            "logps_rejected": pairs.rejected.policy.detach().sum(),
        }
        for name, value in found.items():
            self.rewards[name] = self.rewards.get(name, 0.0) + float(value)

    def taken(self) -> dict[str, float]:
        """What was noted since the last call."""
        found, self.rewards = self.rewards, {}
        return found


def log_probabilities(model: VisionLanguageModel, batch: Batch, shared: Shared | None) -> Tensor:
    """The log-probability of each sample's answer, `[samples]`, in fp32; what samples share is read once."""
    inputs = model.inputs(batch)
    hidden = None if shared is None or model.fusion.repeats else model.llm.shared_states(inputs, shared)
    hidden = model.llm(inputs) if hidden is None else hidden
    labels = batch.labels.to(hidden.device)
    where = torch.nonzero(labels[1:] != IGNORE).squeeze(1)
    found = _of_tokens(model, hidden[where], labels[where + 1])
    # Which answer each supervised token belongs to; the log-probability of an answer is the sum over its own.
    owner = torch.repeat_interleave(torch.arange(len(batch.lengths)), torch.tensor(batch.lengths)).to(where)
    return found.new_zeros(len(batch.lengths)).index_add(0, owner[where + 1], found)


def _of_tokens(model: VisionLanguageModel, hidden: Tensor, targets: Tensor) -> Tensor:
    """Each target's log-probability, `[N]`; of more logits than are held at once, each chunk's are computed again backward."""

    def chunk(states: Tensor, wanted: Tensor) -> Tensor:
        return -F.cross_entropy(model.llm.logits(states).float(), wanted, reduction="none")

    rows = max(1, HELD // len(model.llm.embeddings))
    if len(targets) <= rows:
        return chunk(hidden, targets)
    parts = zip(hidden.split(rows), targets.split(rows), strict=True)
    return torch.cat([checkpoint(chunk, states, wanted, use_reentrant=False) for states, wanted in parts])


@contextmanager
def without_adapters(model: nn.Module) -> Iterator[None]:
    """The model as it is without its adapters, while the block runs."""
    layers = [layer for layer in model.modules() if isinstance(layer, BaseTunerLayer)]
    # `enable_adapters` also sets `requires_grad`, and would leave frozen adapters trainable behind it.
    switched = [(layer, parameter, parameter.requires_grad) for layer in layers for parameter in layer.parameters()]
    for layer in layers:
        layer.enable_adapters(False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)
        for _, parameter, learns in switched:
            parameter.requires_grad_(learns)


@contextmanager
def swapped(model: nn.Module, weights: dict[str, Tensor]) -> Iterator[None]:
    """The model with other weights of these names, while the block runs."""
    own = {name: parameter for name, parameter in model.named_parameters() if name in weights}
    held = {name: parameter.data for name, parameter in own.items()}
    torch.clear_autocast_cache()  # it holds what the weights were cast to
    try:
        for name, parameter in own.items():
            # By `.data`: the parameter objects stay, which optimizer, hooks and FSDP hold.
            parameter.data = weights[name]
        yield
    finally:
        for name, parameter in own.items():
            parameter.data = held[name]
        torch.clear_autocast_cache()
