"""The contract of a model's children: whether their weights come from a file, and the blocks that training cuts them into."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

from torch import nn
from transformers import PreTrainedModel

Begins = Literal["random", "read"]


class Part(nn.Module):
    """A child of a model under the name that stages train it by.

    `begins` says whether its weights are read from files when it is built. Parts that begin at random are written into every
    checkpoint, even where no stage trains them: no other file has their weights.
    """

    begins: Begins = "random"


class Stack(Part):
    """A part of transformer blocks: `vision[4:]` names them, `recompute` throws their activations away, FSDP2 shards each."""

    begins: Begins = "read"

    @property
    @abstractmethod
    def blocks(self) -> nn.ModuleList:
        """The transformer blocks (or stages), first to last; empty where there are none."""


def stacks(model: nn.Module) -> dict[str, Stack]:
    """The parts of a model that have blocks, by name."""
    return {name: part for name, part in model.named_children() if isinstance(part, Stack) and len(part.blocks)}


def begun_at_random(model: nn.Module) -> set[str]:
    """Names of the parts with weights that no file holds before a checkpoint does."""
    # Parts without parameters (a splice, a row order) are left out: there is nothing of theirs to save.
    named = {name: part for name, part in model.named_children() if isinstance(part, Part) and part.begins == "random"}
    return {name for name, part in named.items() if any(True for _ in part.parameters())}


def logit_weights(model: nn.Module) -> list[nn.Parameter]:
    """The weights that give logits over a vocabulary: those of every model of `transformers` inside."""
    inside = (module for module in model.modules() if isinstance(module, PreTrainedModel))
    # Asked and not found by name: every family calls its last layer as it likes.
    heads = (module.get_output_embeddings() for module in inside)
    return [weight for head in heads if head is not None for weight in head.parameters()]
